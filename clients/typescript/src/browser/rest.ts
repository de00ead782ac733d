// Sends documents that are too large for one message by REST: a browser can send a file as the body of
// a request, but no stream of messages.
import {
  clone,
  create,
  createRegistry,
  fromJson,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Credentials } from "../core/credentials.js";
import { asInGrpc, errorOfStatus } from "../core/errors.js";
import type { ServicePolicy } from "../core/policy.js";
import type { ExtractCall, ExtractEvent, Options } from "../core/sending.js";
import { Scope } from "../core/waiting.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.js";
import {
  type UploadDocumentResponse,
  UploadDocumentResponseSchema,
} from "../gen/ocr_grpc/v1/batch_service_pb.js";
import { UploadExtractResponseSchema } from "../gen/ocr_grpc/v1/ocr_service_pb.js";
import { ExtractOptionsSchema } from "../gen/ocr_grpc/v1/options_pb.js";
import { jsonLines } from "./ndjson.js";
import type { BlobDocument } from "./sources.js";

const JSON_OPTIONS = {
  ignoreUnknownFields: true,
  registry: createRegistry(BadRequestSchema, ErrorInfoSchema, QuotaFailureSchema, RetryInfoSchema),
};

type Query = [name: string, value: string][];

/** Calls the two RPCs that take a raw body. One attempt each; what fails, fails with `ConnectError`. */
export class RestUploads {
  constructor(
    private readonly baseUrl: string,
    private readonly credentials: Credentials,
    private readonly policy: ServicePolicy,
  ) {}

  async *extract(
    document: BlobDocument,
    { options = {}, requestId, resumable }: ExtractCall,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): AsyncGenerator<ExtractEvent> {
    const scope = this.#scope("ocr_grpc.v1.OcrService", "UploadExtract", signal, timeoutMs);
    const query: Query = [...queryOf(options), ["request_id", requestId]];
    if (resumable) query.push(["resumable", "true"]);
    try {
      const response = await this.#post("/v1/ocr:upload", query, document, options, scope.signal);
      if (!response.body) throw new ConnectError("The answer is empty.", Code.Unavailable);
      for await (const line of jsonLines<JsonValue>(response.body)) {
        yield fromJson(UploadExtractResponseSchema, line, JSON_OPTIONS);
      }
    } catch (reason) {
      throw asInGrpc(scope.signal.aborted ? scope.signal.reason : reason);
    } finally {
      scope.end();
    }
  }

  async upload(
    document: BlobDocument,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): Promise<UploadDocumentResponse> {
    const scope = this.#scope("ocr_grpc.v1.BatchService", "UploadDocument", signal, timeoutMs);
    try {
      const response = await this.#post("/v1/documents", [], document, {}, scope.signal);
      return fromJson(UploadDocumentResponseSchema, await response.json(), JSON_OPTIONS);
    } catch (reason) {
      throw asInGrpc(scope.signal.aborted ? scope.signal.reason : reason);
    } finally {
      scope.end();
    }
  }

  #scope(service: string, method: string, signal: AbortSignal, timeoutMs?: number): Scope {
    const own = this.policy.of(service, method).timeoutMs;
    const shorter = Math.min(
      own ?? Number.POSITIVE_INFINITY,
      timeoutMs ?? Number.POSITIVE_INFINITY,
    );
    return new Scope(signal, Number.isFinite(shorter) ? shorter : undefined);
  }

  async #post(
    path: string,
    query: Query,
    document: BlobDocument,
    { password }: Options,
    signal: AbortSignal,
  ): Promise<Response> {
    const body = password ? formOf(document, password) : document.blob;
    const headers = new Headers({ accept: "application/x-ndjson, application/json" });
    if (!password) {
      headers.set("content-type", "application/octet-stream");
      query.push(["size_bytes", String(document.blob.size)]);
    }
    if (document.fileName) query.push(["file_name", document.fileName]);
    const token = await this.credentials.addTo(headers);
    const url = `${this.baseUrl}${path}?${new URLSearchParams(query)}`;
    const response = await fetch(url, { method: "POST", body, headers, signal, redirect: "error" });
    if (response.ok) return response;
    if (response.status === 401 && token) this.credentials.session.expire(token);
    throw await refusalOf(response);
  }
}

/** Returns options as the query has them: by their names in the protos. */
function queryOf(options: Options): Query {
  const open = clone(ExtractOptionsSchema, create(ExtractOptionsSchema, options));
  open.password = ""; // addresses are logged: it goes in a form
  const named = toJson(ExtractOptionsSchema, open, { useProtoFieldName: true });
  return Object.entries(named as Record<string, JsonValue>).flatMap(([name, value]) =>
    [value].flat().map((each): Query[number] => [`options.${name}`, String(each)]),
  );
}

function formOf({ blob, fileName }: BlobDocument, password: string): FormData {
  const form = new FormData();
  form.append("password", password);
  form.append("file", blob, fileName || "document");
  return form;
}

/** Returns what an answer other than 2xx says: a status as JSON, from the service and its sidecar alike. */
async function refusalOf(response: Response): Promise<ConnectError> {
  let status: Status;
  try {
    status = fromJson(StatusSchema, (await response.json()) as JsonValue, JSON_OPTIONS);
  } catch {
    // Not the service spoke, but something before it.
    const code =
      response.status >= 502 || response.status === 429 ? Code.Unavailable : Code.Unknown;
    return new ConnectError(`The server answered ${response.status}.`, code, response.headers);
  }
  return errorOfStatus(status, response.headers);
}
