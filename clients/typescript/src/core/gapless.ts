// One stream of numbered events out of as many calls as it takes.
import { Code, ConnectError } from "@connectrpc/connect";
import { asInGrpc, isBreak, OcrError } from "./errors.js";
import { backoffMs, type RetryPolicy } from "./policy.js";
import { SourceError } from "./sending.js";
import { pause, Scope } from "./waiting.js";

/** Where numbered events come from. */
export interface Source<Event> {
  /** Calls for the events after a number. */
  open(afterSequence: number, signal: AbortSignal): AsyncIterable<Event>;
  isLast(event: Event): boolean;
  /** Whether a call that ends well has nothing more to bring, even if the last event was known before. */
  readonly mayEnd: boolean;
  /** Returns after how many milliseconds to call again, or undefined if the failure is for good. */
  waitMs(error: OcrError): number | undefined;
  /** Returns until when a call may bring no event, as `Date.now()` counts. Undefined: for ever. */
  silentUntil(): number | undefined;
  /** Is told of each event before it is given out. */
  heard(event: Event): void;
}

/**
 * Yields events numbered without gaps, and calls again where a call broke off, until the last event.
 *
 * @param after the number before the first event that is wanted.
 */
export async function* gapless<Event extends { readonly sequence: number }>(
  source: Source<Event>,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
  let sequence = after;
  for (;;) {
    const call = new Scope(signal, undefined);
    const silence = endSilence(call, source.silentUntil());
    try {
      for await (const event of source.open(sequence, call.signal)) {
        if (event.sequence <= sequence) continue; // known
        if (event.sequence > sequence + 1) throw gap(sequence, event.sequence);
        sequence = event.sequence;
        clearTimeout(silence);
        source.heard(event);
        yield event;
        if (source.isLast(event)) return;
      }
      if (source.mayEnd) return;
      throw new ConnectError("The stream ended before its last event.", Code.Unavailable);
    } catch (reason) {
      if (reason instanceof SourceError) throw reason;
      const error = whatEnded(reason, call, signal);
      const waitMs = signal.aborted ? undefined : source.waitMs(error);
      if (waitMs === undefined) throw error;
      await pause(waitMs, signal).catch((over) => {
        throw OcrError.from(over);
      });
    } finally {
      clearTimeout(silence);
      call.end();
    }
  }
}

/** Decides for how long broken calls are made again. */
export class Patience {
  #brokenAt: number | undefined;
  #failures = 0;

  /** @param silenceMs how long no event may come after a connection broke. */
  constructor(
    private readonly silenceMs: number,
    private readonly backoff: RetryPolicy,
  ) {}

  /** An event came: the connection works. */
  heard(): void {
    this.#brokenAt = undefined;
    this.#failures = 0;
  }

  get until(): number | undefined {
    return this.#brokenAt === undefined ? undefined : this.#brokenAt + this.silenceMs;
  }

  /** Returns after how many milliseconds to call again, or undefined if it is not worth it. */
  waitMs(error: OcrError): number | undefined {
    const refused = error.code === Code.ResourceExhausted && error.retryDelayMs !== undefined;
    if (!refused && !isBreak(error)) return undefined;
    this.#brokenAt ??= Date.now();
    const waitMs = Math.max(error.retryDelayMs ?? 0, backoffMs(this.backoff, this.#failures));
    this.#failures += 1;
    return Date.now() + waitMs < this.#brokenAt + this.silenceMs ? waitMs : undefined;
  }
}

function endSilence(
  call: Scope,
  until: number | undefined,
): ReturnType<typeof setTimeout> | undefined {
  if (until === undefined) return undefined;
  const silent = new ConnectError("The connection did not come back.", Code.Unavailable);
  return setTimeout(() => call.end(silent), Math.max(0, until - Date.now()));
}

/** The caller's own end comes first, then ours, then what the call says. */
function whatEnded(reason: unknown, call: Scope, signal: AbortSignal): OcrError {
  if (signal.aborted) return OcrError.from(signal.reason);
  if (call.signal.aborted) return OcrError.from(call.signal.reason);
  return reason instanceof OcrError ? reason : OcrError.from(asInGrpc(reason));
}

function gap(known: number, next: number): ConnectError {
  return new ConnectError(`Event ${next} came after ${known}.`, Code.Unavailable);
}
