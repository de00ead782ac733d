// What the entries for Node and for browsers bring: documents, and how these are sent.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { UploadDocumentResponse } from "../gen/ocr_grpc/v1/batch_service_pb.js";
import type { UploadExtractResponse } from "../gen/ocr_grpc/v1/ocr_service_pb.js";
import type { ExtractOptionsSchema } from "../gen/ocr_grpc/v1/options_pb.js";

/** One event of an extraction, whichever call brought it. */
export type ExtractEvent = UploadExtractResponse;

/** How a document is to be read; every field may be left out. */
export type Options = MessageInitShape<typeof ExtractOptionsSchema>;

/** A document, as far as all entries know it. */
export interface Document {
  readonly fileName: string;
  /** Whether it can be sent again. A stream cannot. */
  readonly repeatable: boolean;
}

/** What goes with a document that is to be read. */
export interface ExtractCall {
  readonly options: Options | undefined;
  readonly requestId: string;
  readonly resumable: boolean;
}

/** Sends documents: each of these is one attempt, without retries. */
export interface Sender<Sent extends Document> {
  extract(
    document: Sent,
    call: ExtractCall,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): AsyncIterable<ExtractEvent>;
  upload(
    document: Sent,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): Promise<UploadDocumentResponse>;
}

/** Says that a document could not be read by us; no server is to blame, and no repetition helps. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** Returns a name that no other call has. `randomUUID` is only there with HTTPS. */
export function randomId(): string {
  const parts = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(parts, (part) => part.toString(16).padStart(2, "0")).join("");
}

/** The service takes file names of at most 255 characters; the ending is what counts. */
export function shortName(name: string): string {
  return [...name].slice(-255).join("");
}
