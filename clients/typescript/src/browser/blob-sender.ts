// Sends documents as browsers can: inside one message while they fit, else as the body of a request.
import { type Client, createContextValues } from "@connectrpc/connect";
import { callOptions } from "../core/batches.js";
import { eventOf } from "../core/extraction.js";
import { withoutRetries } from "../core/retries.js";
import type { ExtractCall, ExtractEvent, Sender } from "../core/sending.js";
import { unless } from "../core/waiting.js";
import type { UploadDocumentResponse } from "../gen/ocr_grpc/v1/batch_service_pb.js";
import type { OcrService } from "../gen/ocr_grpc/v1/ocr_service_pb.js";
import type { RestUploads } from "./rest.js";
import type { BlobDocument } from "./sources.js";

/** `extract` makes calls again itself, as it does with uploads. */
const once = createContextValues().set(withoutRetries, true);

/** Sends by `StreamExtract`, or by REST what is larger than `max_inline_bytes`. */
export class BlobSender implements Sender<BlobDocument> {
  #inlineBytes: Promise<number> | undefined;

  constructor(
    private readonly ocr: Client<typeof OcrService>,
    private readonly rest: RestUploads,
  ) {}

  async *extract(
    document: BlobDocument,
    call: ExtractCall,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): AsyncGenerator<ExtractEvent> {
    if (document.blob.size > (await unless(signal, this.#maxInlineBytes()))) {
      yield* this.rest.extract(document, call, signal, timeoutMs);
      return;
    }
    const { options, requestId, resumable } = call;
    const { fileName } = document;
    const content = new Uint8Array(await document.read());
    const request = { content, fileName, requestId, resumable, ...(options ? { options } : {}) };
    const callSettings = { ...callOptions({ timeoutMs, signal }), contextValues: once };
    for await (const event of this.ocr.streamExtract(request, callSettings)) yield eventOf(event);
  }

  upload(
    document: BlobDocument,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): Promise<UploadDocumentResponse> {
    return this.rest.upload(document, signal, timeoutMs);
  }

  /** Asks once: the limit is a setting of the server. */
  #maxInlineBytes(): Promise<number> {
    this.#inlineBytes ??= this.ocr.getCapabilities({}, { contextValues: once }).then(
      ({ limits }) => Number(limits?.maxInlineBytes ?? 0),
      (error) => {
        this.#inlineBytes = undefined;
        throw error;
      },
    );
    return this.#inlineBytes;
  }
}
