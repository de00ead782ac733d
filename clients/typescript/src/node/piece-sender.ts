// Sends documents in pieces, as gRPC can.
import type { Client } from "@connectrpc/connect";
import { callOptions } from "../core/batches.js";
import { type ExtractCall, type ExtractEvent, type Sender, SourceError } from "../core/sending.js";
import type { BatchService, UploadDocumentResponse } from "../gen/ocr_grpc/v1/batch_service_pb.js";
import type { OcrService } from "../gen/ocr_grpc/v1/ocr_service_pb.js";
import type { PieceDocument } from "./sources.js";

/** Sends by `UploadExtract` and `UploadDocument`. */
export class PieceSender implements Sender<PieceDocument> {
  constructor(
    private readonly ocr: Client<typeof OcrService>,
    private readonly batches: Client<typeof BatchService>,
  ) {}

  async *extract(
    document: PieceDocument,
    call: ExtractCall,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): AsyncGenerator<ExtractEvent> {
    const { fileName, sizeBytes } = document;
    const { requestId, resumable, options } = call;
    const first = { fileName, sizeBytes, requestId, resumable, ...(options ? { options } : {}) };
    const source = new Requests(document, first);
    try {
      yield* this.ocr.uploadExtract(source.messages(), callOptions({ timeoutMs, signal }));
    } catch (error) {
      throw source.failure ?? error;
    }
  }

  async upload(
    document: PieceDocument,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): Promise<UploadDocumentResponse> {
    const { fileName, sizeBytes } = document;
    const source = new Requests(document, { fileName, sizeBytes });
    try {
      return await this.batches.uploadDocument(
        source.messages(),
        callOptions({ timeoutMs, signal }),
      );
    } catch (error) {
      throw source.failure ?? error;
    }
  }
}

/** The messages of one upload. */
class Requests<First extends object> {
  /** What went wrong on our side: connect-es makes a status of it, which is not what happened. */
  failure: unknown;

  constructor(
    private readonly document: PieceDocument,
    private readonly first: First,
  ) {}

  async *messages() {
    let head: Partial<First> = this.first;
    try {
      for await (const data of this.document.pieces()) {
        yield { ...head, content: { data } };
        head = {};
      }
    } catch (error) {
      // connect-es throws the end of the call in here, too.
      if (error instanceof SourceError) this.failure = error;
      throw error;
    }
    if (head === this.first) yield this.first; // empty: let the service say so
  }
}
