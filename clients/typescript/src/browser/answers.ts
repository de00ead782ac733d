// What REST answers: events and refusals, as JSON.
import { createRegistry, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorOfStatus } from "../core/errors.js";
import type { ExtractEvent } from "../core/sending.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../gen/google/rpc/status_pb.js";
import { UploadExtractResponseSchema } from "../gen/ocr_grpc/v1/ocr_service_pb.js";

const registry = createRegistry(
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
);

export const JSON_OPTIONS = { ignoreUnknownFields: true, registry };

/** https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
const CODES: Readonly<Record<number, Code>> = {
  400: Code.Internal,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.Unimplemented,
  429: Code.Unavailable,
  502: Code.Unavailable,
  503: Code.Unavailable,
  504: Code.Unavailable,
};

/** Returns the event of one line. */
export function eventOf(line: JsonValue): ExtractEvent {
  const { failed } = objectOf(line);
  const { status } = objectOf(failed);
  const read = status ? { ...objectOf(line), failed: { status: understood(status) } } : line;
  return fromJson(UploadExtractResponseSchema, read, JSON_OPTIONS);
}

/** Returns what an answer other than 2xx says: a status as JSON, from the service and its sidecar alike. */
export async function refusalOf(response: Response): Promise<ConnectError> {
  try {
    const status = fromJson(StatusSchema, understood(await response.json()), JSON_OPTIONS);
    return errorOfStatus(status, response.headers);
  } catch {
    // Not the service spoke, but something before it.
    const code = CODES[response.status] ?? Code.Unknown;
    return new ConnectError(`The server answered ${response.status}.`, code, response.headers);
  }
}

/** Leaves out details that only a newer service knows: JSON says nothing of their form. */
function understood(status: JsonValue): JsonValue {
  const { details, ...rest } = objectOf(status);
  if (!Array.isArray(details)) return rest;
  const known = (detail: JsonValue) => {
    const type = String(objectOf(detail)["@type"]);
    return registry.getMessage(type.slice(type.lastIndexOf("/") + 1)) !== undefined;
  };
  return { ...rest, details: details.filter(known) };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
