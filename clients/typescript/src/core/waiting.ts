// Waiting that can be called off.
import { Code, ConnectError } from "@connectrpc/connect";

/** Waits. Throws the reason of the signal as soon as that is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const over = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", over);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", over, { once: true });
  });
}

/** Waits for something that cannot be called off itself. Throws the reason of the signal if that is aborted first. */
export async function unless<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let over: (() => void) | undefined;
  const called = new Promise<never>((_, reject) => {
    over = () => reject(signal.reason);
    signal.addEventListener("abort", over, { once: true });
    if (signal.aborted) over();
  });
  try {
    return await Promise.race([work, called]);
  } finally {
    if (over) signal.removeEventListener("abort", over);
  }
}

/** Ends any number of scopes at once. Node warns of signals that more than ten listen to. */
export class Life {
  readonly #scopes = new Set<Scope>();
  #over: ConnectError | undefined;

  add(scope: Scope): void {
    if (this.#over) scope.end(this.#over);
    else this.#scopes.add(scope);
  }

  delete(scope: Scope): void {
    this.#scopes.delete(scope);
  }

  end(reason: ConnectError): void {
    this.#over ??= reason;
    for (const scope of this.#scopes) scope.end(reason);
  }
}

/** Ends something: because somebody outside says so, because its time is over, or because it is done. */
export class Scope {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #life: Life | undefined;
  readonly #endsAt: number | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer: AbortSignal | undefined, timeoutMs: number | undefined, life?: Life) {
    this.#outer = outer;
    this.#life = life;
    if (timeoutMs !== undefined) {
      this.#endsAt = Date.now() + timeoutMs;
      this.#timer = setTimeout(this.#expire, Math.min(timeoutMs, 2 ** 31 - 1));
    }
    life?.add(this);
    if (outer?.aborted) this.#follow();
    else outer?.addEventListener("abort", this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What is left of its time in milliseconds. Undefined: no end. */
  get leftMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : Math.max(1, this.#endsAt - Date.now());
  }

  /** Ends it, with everything that follows its signal. */
  end(reason?: unknown): void {
    this.release();
    this.#controller.abort(reason);
  }

  /** Ends what it waits for, and nothing else. */
  release(): void {
    clearTimeout(this.#timer);
    this.#life?.delete(this);
    this.#outer?.removeEventListener("abort", this.#follow);
  }

  /** Whatever reason the caller gives: it is a cancellation. */
  readonly #follow = () => this.end(ConnectError.from(this.#outer?.reason, Code.Canceled));
  readonly #expire = () =>
    this.end(new ConnectError("The deadline has passed.", Code.DeadlineExceeded));
}
