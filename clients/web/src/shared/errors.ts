// Errors of calls as sentences for people.
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import type { Status } from "../gen/google/rpc/status_pb.ts";

/** What went wrong: a sentence, and the stable reason of the service or an empty string. */
export interface Problem {
  readonly sentence: string;
  readonly reason: string;
  readonly code: Code;
  /** After how many seconds to try again, where the service says so. */
  readonly retrySeconds: number | null;
}

// Where the service could not speak for itself, or where its sentence is for programmers.
const BY_CODE: Partial<Record<Code, string>> = {
  [Code.Canceled]: "The call was cancelled.",
  [Code.DeadlineExceeded]: "The service took too long to answer. Please try again.",
  [Code.Unavailable]: "The service cannot be reached. Please check that it runs, and try again.",
  [Code.Unauthenticated]: "Please sign in first.",
};

/** Returns what a failed call means to the person who made it. */
export function problemOf(error: unknown): Problem {
  const thrown = ConnectError.from(error);
  // Without an answer a browser throws a TypeError that says nothing to people.
  const unanswered = thrown.cause instanceof TypeError;
  const failure = unanswered ? new ConnectError("", Code.Unavailable) : thrown;
  const reason = failure.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
  const delay = failure.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    sentence: sentenceOf(failure, reason),
    reason,
    code: failure.code,
    retrySeconds: delay ? Number(delay.seconds) + delay.nanos / 1e9 : null,
  };
}

function sentenceOf(failure: ConnectError, reason: string): string {
  const own = failure.rawMessage.trim();
  if (reason && own) return own;
  return BY_CODE[failure.code] ?? (own || "Something went wrong.");
}

/** Returns the sentence with its reason, as it is shown: "The page is too large. (PAGE_TOO_LARGE)". */
export function sentenceWithReason(error: unknown): string {
  const { sentence, reason } = problemOf(error);
  return reason ? `${sentence} (${reason})` : sentence;
}

/** Returns what a status means that came inside a message. */
export function problemOfStatus(status: Status | undefined, reason: string): Problem {
  const failure = connectErrorOf(status);
  const problem = problemOf(failure);
  if (problem.reason || !reason) return problem;
  return { ...problem, reason, sentence: sentenceOf(failure, reason) };
}

/** Returns a status as the error that a call would have failed with. */
export function connectErrorOf(status: Status | undefined): ConnectError {
  const failure = new ConnectError(status?.message ?? "", status?.code as Code | undefined);
  failure.details = (status?.details ?? []).map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return failure;
}
