// Does for connect-es what gRPC does with a service config: deadlines, and retries by status code, with
// backoff, while nothing has arrived, as the server allows by `grpc-retry-pushback-ms`.
//
// Calls with a stream of requests get their deadline here but are not sent again: their messages are
// gone. `extract` and `uploadDocument` repeat those from their source.
import {
  Code,
  type ConnectError,
  createContextKey,
  type Interceptor,
  type StreamRequest,
  type UnaryRequest,
} from "@connectrpc/connect";
import { asInGrpc, OcrError } from "./errors.js";
import { backoffMs, type RetryPolicy, type ServicePolicy } from "./policy.js";
import { type Response, replayOf, withFirst } from "./replay.js";
import { type Life, pause, Scope } from "./waiting.js";

/** Switches retries off for calls that their maker repeats itself. */
export const withoutRetries = createContextKey(false);

const PUSHBACK = "grpc-retry-pushback-ms";
const TIMEOUT = "grpc-timeout";
/** The service asks nobody to wait longer than this. */
export const MAX_PUSHBACK_MS = 20_000;

/** Returns an interceptor that applies a service config, and ends all calls with `life`. */
export function retries(policy: ServicePolicy, life?: Life, random = Math.random): Interceptor {
  return (next) => async (request) => {
    const { timeoutMs, retry } = policy.of(request.method.parent.typeName, request.method.name);
    const scope = new Scope(request.signal, shorter(timeoutOf(request), timeoutMs), life);
    const replay = replayOf(request);
    const allowed =
      replay.repeatable && !request.contextValues.get(withoutRetries) ? retry : undefined;
    const course = new Course(policy, allowed, random);
    for (let sent = 0; ; sent += 1) {
      try {
        scope.signal.throwIfAborted();
        const attempt = await replay.attempt(headersOf(request, scope, sent), scope.signal);
        const response = await withFirst(await next(attempt));
        policy.throttle.succeeded();
        return until(response, scope);
      } catch (reason) {
        const error = asInGrpc(scope.signal.aborted ? scope.signal.reason : reason);
        const waitMs = course.waitMs(error);
        if (waitMs === undefined || waitMs >= (scope.leftMs ?? Number.POSITIVE_INFINITY)) {
          scope.end(error);
          throw error;
        }
        await pause(waitMs, scope.signal);
      }
    }
  };
}

/** Decides whether a call is sent again, and when. */
class Course {
  #attempts = 0;
  #inARow = 0;

  constructor(
    private readonly policy: ServicePolicy,
    private readonly retry: RetryPolicy | undefined,
    private readonly random: () => number,
  ) {}

  /** Returns milliseconds, or undefined if the call has failed for good. */
  waitMs(error: ConnectError): number | undefined {
    this.#attempts += 1;
    const pushback = pushbackOf(error);
    const retryable = this.retry?.codes.has(error.code) ?? false;
    if (retryable || pushback === "never") this.policy.throttle.failed();
    if (!this.retry || !retryable || pushback === "never") return undefined;
    if (this.#attempts >= this.retry.maxAttempts || !this.policy.throttle.open) return undefined;
    if (pushback !== undefined) {
      this.#inARow = 0; // after a pushback the backoff begins anew
      return pushback;
    }
    const waitMs = backoffMs(this.retry, this.#inARow, this.random);
    this.#inARow += 1;
    return waitMs;
  }
}

/** Returns what the server says about coming again: milliseconds, never, or nothing. */
function pushbackOf(error: ConnectError): number | "never" | undefined {
  const value = error.metadata.get(PUSHBACK);
  if (value !== null) return /^[0-9]+$/.test(value) ? Number(value) : "never";
  if (error.code !== Code.ResourceExhausted) return undefined;
  // A browser keeps metadata from pages of other origins unless the server exposes it. The details
  // say the same: the service sends either a pushback with each refusal, or -1.
  const { reason, retryDelayMs } = new OcrError(error);
  if (reason === "") return undefined;
  return retryDelayMs !== undefined && retryDelayMs < MAX_PUSHBACK_MS ? retryDelayMs : "never";
}

/** Returns the deadline that the caller chose; connect has put it there, in milliseconds. */
function timeoutOf({ header }: UnaryRequest | StreamRequest): number | undefined {
  const milliseconds = /^([0-9]+)m$/.exec(header.get(TIMEOUT) ?? "")?.[1];
  return milliseconds === undefined ? undefined : Number(milliseconds);
}

function shorter(one: number | undefined, other: number | undefined): number | undefined {
  return one !== undefined && other !== undefined ? Math.min(one, other) : (one ?? other);
}

function headersOf({ header }: UnaryRequest | StreamRequest, scope: Scope, sent: number): Headers {
  const headers = new Headers(header);
  const { leftMs } = scope;
  if (leftMs !== undefined) headers.set(TIMEOUT, timeoutText(leftMs));
  if (sent > 0) headers.set("grpc-previous-rpc-attempts", String(sent));
  return headers;
}

/** gRPC takes at most eight digits. */
function timeoutText(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  return whole < 1e8 ? `${whole}m` : `${Math.ceil(whole / 1000)}S`;
}

/** Keeps the deadline until the last message of a stream, and names failures on the way as gRPC does. */
function until(response: Response, scope: Scope): Response {
  if (!response.stream) {
    scope.release();
    return response;
  }
  const messages = response.message;
  return {
    ...response,
    message: (async function* () {
      try {
        yield* messages;
      } catch (reason) {
        throw asInGrpc(scope.signal.aborted ? scope.signal.reason : reason);
      } finally {
        scope.end();
      }
    })(),
  };
}
