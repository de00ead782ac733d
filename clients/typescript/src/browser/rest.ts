// Sends documents that are too large for one message by REST: a browser can send a file as the body of
// a request, but no stream of messages.
import { clone, create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Credentials, isExpired } from "../core/credentials.js";
import { asInGrpc } from "../core/errors.js";
import type { ServicePolicy } from "../core/policy.js";
import { type ExtractCall, type ExtractEvent, type Options, SourceError } from "../core/sending.js";
import { Scope } from "../core/waiting.js";
import {
  type UploadDocumentResponse,
  UploadDocumentResponseSchema,
} from "../gen/ocr_grpc/v1/batch_service_pb.js";
import { ExtractOptionsSchema } from "../gen/ocr_grpc/v1/options_pb.js";
import { eventOf, JSON_OPTIONS, refusalOf } from "./answers.js";
import { jsonLines } from "./ndjson.js";
import type { BlobDocument } from "./sources.js";

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
        yield eventOf(line);
      }
    } catch (reason) {
      throw failureOf(reason, scope);
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
      throw failureOf(reason, scope);
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
    const token = await this.credentials.addTo(headers, signal);
    const url = `${this.baseUrl}${path}?${new URLSearchParams(query)}`;
    const request = { method: "POST", body, headers, signal, redirect: "error" } as const;
    const response = await fetch(url, request).catch(async (reason: unknown) => {
      await document.check();
      throw reason;
    });
    if (response.ok) return response;
    const refusal = await refusalOf(response);
    if (token && isExpired(refusal)) this.credentials.session.expire(token);
    throw refusal;
  }
}

/** The end of the call comes first, then the document's own fault, then what the connection says. */
function failureOf(reason: unknown, { signal }: Scope): unknown {
  if (signal.aborted) return asInGrpc(signal.reason);
  return reason instanceof SourceError ? reason : asInGrpc(reason);
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
