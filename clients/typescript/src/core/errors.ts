// The one error of this library, and what a failure says of the connection.
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import type { Status } from "../gen/google/rpc/status_pb.js";

/** The domain of the `ErrorInfo` that the service puts into its errors. */
const DOMAIN = "ocr_grpc";

/** A field of the request that was refused. */
export interface FieldViolation {
  /** Its path, such as `options.pages`. */
  readonly field: string;
  readonly description: string;
}

/** A quota that is spent. */
export interface QuotaViolation {
  /** Whose it is. */
  readonly subject: string;
  readonly description: string;
}

/** What a call failed with. */
export class OcrError extends Error {
  override readonly name = "OcrError";
  readonly code: Code;
  /** The stable word of the service, such as `QUOTA_EXCEEDED`. Empty if somebody else failed. */
  readonly reason: string;
  /** After how many milliseconds it is worth to call again. Undefined: the service did not say. */
  readonly retryDelayMs: number | undefined;
  readonly fieldViolations: readonly FieldViolation[];
  readonly quotaViolations: readonly QuotaViolation[];
  /** Everything variable in the message, by name. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Names the call in the logs of the service. Empty if it never came there. */
  readonly requestId: string;

  constructor(error: ConnectError) {
    super(error.rawMessage, { cause: error });
    const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === DOMAIN);
    const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
    this.code = error.code;
    this.reason = info?.reason ?? "";
    this.retryDelayMs = delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    this.fieldViolations = error
      .findDetails(BadRequestSchema)
      .flatMap((detail) => detail.fieldViolations)
      .map(({ field, description }) => ({ field, description }));
    this.quotaViolations = error
      .findDetails(QuotaFailureSchema)
      .flatMap((detail) => detail.violations)
      .map(({ subject, description }) => ({ subject, description }));
    this.metadata = { ...info?.metadata };
    // What is in the headers and in the trailers comes as a list.
    this.requestId = error.metadata.get("x-request-id")?.split(",")[0] ?? "";
  }

  /** Returns what was caught as an error of this type. */
  static from(reason: unknown): OcrError {
    return reason instanceof OcrError ? reason : new OcrError(ConnectError.from(reason));
  }

  /** Returns an error that this library makes itself. */
  static of(code: Code, message: string): OcrError {
    return new OcrError(new ConnectError(message, code));
  }
}

/** Returns the status that came inside a message as the error that a call fails with. */
export function errorOfStatus(status: Status | undefined, metadata?: HeadersInit): ConnectError {
  const code = (status?.code || Code.Unknown) as Code;
  const error = new ConnectError(status?.message ?? "", code, metadata);
  error.details = (status?.details ?? []).map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return error;
}

/** Codes of libraries for what gRPC calls `UNAVAILABLE`: the connection is gone. */
const LOST = new Set([
  Code.Aborted,
  Code.Unknown,
  Code.Internal,
  Code.DataLoss,
  Code.InvalidArgument,
]);
const CUT_OFF =
  /^protocol error: incomplete|^premature end|^missing (trailer|response body|message)/;

/**
 * Returns a failure as gRPC names it. Where no status came, connect-es has other codes for a lost
 * connection than gRPC has, and `fetch` has none.
 */
export function asInGrpc(reason: unknown): ConnectError {
  const error = ConnectError.from(reason);
  const answered = error.metadata.has("grpc-status");
  if (answered || !LOST.has(error.code)) return error;
  if (!(error.cause instanceof Error) && !CUT_OFF.test(error.rawMessage)) return error;
  return new ConnectError(error.rawMessage, Code.Unavailable, error.metadata, [], error.cause);
}

const BROKEN = new Set([Code.Unavailable, Code.Internal, Code.Unknown, Code.Canceled]);

/**
 * Returns whether a connection broke, or a server went away: what was begun can go on elsewhere. The
 * service's own refusals are none of that, whatever their code, but for `UNAVAILABLE`.
 */
export function isBreak(error: OcrError): boolean {
  return error.code === Code.Unavailable || (error.reason === "" && BROKEN.has(error.code));
}
