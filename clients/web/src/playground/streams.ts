// Sends a document and yields what comes back while it is read.
import { createRegistry, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { OcrService, UploadExtractResponseSchema } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { accessToken, renewedToken } from "../session/session.ts";
import { connectErrorOf } from "../shared/errors.ts";
import { transport } from "../shared/transport.ts";
import { jsonLines } from "./ndjson.ts";
import type { ReadingEvent } from "./reading.ts";
import { fieldsOf, optionsOf, type Wishes } from "./wishes.ts";

const client = createClient(OcrService, transport);
const JSON_OPTIONS = {
  ignoreUnknownFields: true,
  registry: createRegistry(BadRequestSchema, ErrorInfoSchema, QuotaFailureSchema, RetryInfoSchema),
};

export const capabilities = () => client.getCapabilities({}, { timeoutMs: 15_000 });

/**
 * Yields the events of reading a file. Throws `ConnectError` if the call fails.
 *
 * @param inlineBytes the largest file that goes inside a message; larger ones go by REST, because
 *   a browser can send a stream of bytes, but no stream of messages.
 */
export async function* events(
  file: File,
  wishes: Wishes,
  inlineBytes: number,
  signal: AbortSignal,
): AsyncGenerator<ReadingEvent> {
  if (file.size > inlineBytes) {
    yield* uploaded(file, wishes, signal);
    return;
  }
  const content = new Uint8Array(await file.arrayBuffer());
  const request = { content, fileName: nameOf(file), options: optionsOf(wishes) };
  for await (const { event } of client.streamExtract(request, { signal })) yield event;
}

async function* uploaded(file: File, wishes: Wishes, signal: AbortSignal) {
  const response = await post(file, wishes, signal);
  if (!response.ok) throw await refusal(response);
  if (!response.body) throw new ConnectError("The answer is empty.", Code.Unavailable);
  for await (const line of jsonLines<JsonValue>(response.body)) {
    yield fromJson(UploadExtractResponseSchema, line, JSON_OPTIONS).event;
  }
}

async function post(file: File, wishes: Wishes, signal: AbortSignal): Promise<Response> {
  const token = await accessToken();
  const send = (bearer: string | null) =>
    fetch(addressOf(file, wishes), {
      method: "POST",
      signal,
      body: bodyOf(file, wishes),
      headers: {
        accept: "application/x-ndjson",
        ...(wishes.password ? {} : { "content-type": "application/octet-stream" }),
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
      },
    });
  const response = await send(token);
  if (response.status !== 401 || !token) return response;
  const renewed = await renewedToken(token);
  return renewed ? send(renewed) : response;
}

// A password never stands in an address, because addresses are logged: it goes in a form.
function bodyOf(file: File, wishes: Wishes): File | FormData {
  if (!wishes.password) return file;
  const form = new FormData();
  for (const [name, value] of fieldsOf(wishes)) form.append(name, value);
  form.append("file", file, nameOf(file));
  return form;
}

function addressOf(file: File, wishes: Wishes): string {
  if (wishes.password) return "/v1/ocr:upload";
  const query = fieldsOf(wishes).map(([name, value]): [string, string] => [
    `options.${name}`,
    value,
  ]);
  query.push(["file_name", nameOf(file)], ["size_bytes", String(file.size)]);
  return `/v1/ocr:upload?${new URLSearchParams(query)}`;
}

function nameOf(file: File): string {
  return [...file.name].slice(-255).join("");
}

async function refusal(response: Response): Promise<ConnectError> {
  let status: Status | undefined;
  try {
    status = fromJson(StatusSchema, (await response.json()) as JsonValue, JSON_OPTIONS);
  } catch {
    // Not the service spoke, but something before it.
  }
  return status
    ? connectErrorOf(status)
    : new ConnectError(`The server answered ${response.status}.`, Code.Unavailable);
}
