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

/** Ends something: because somebody outside says so, because its time is over, or because it is done. */
export class Scope {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #endsAt: number | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer: AbortSignal | undefined, timeoutMs: number | undefined) {
    this.#outer = outer;
    if (timeoutMs !== undefined) {
      this.#endsAt = Date.now() + timeoutMs;
      this.#timer = setTimeout(this.#expire, Math.min(timeoutMs, 2 ** 31 - 1));
    }
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

  /** Ends its timer, and nothing else. */
  release(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#follow);
  }

  readonly #follow = () => this.end(this.#outer?.reason);
  readonly #expire = () =>
    this.end(new ConnectError("The deadline has passed.", Code.DeadlineExceeded));
}
