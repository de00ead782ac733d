// Sends documents as browsers can: inside one message while they fit, else as the body of a request.
import { type Client, createContextValues } from "@connectrpc/connect";
import { callOptions } from "../core/batches.js";
import { eventOf } from "../core/extraction.js";
import { withoutRetries } from "../core/retries.js";
import { type ExtractCall, type ExtractEvent, type Sender, SourceError } from "../core/sending.js";
import type { UploadDocumentResponse } from "../gen/ocr_grpc/v1/batch_service_pb.js";
import type { OcrService } from "../gen/ocr_grpc/v1/ocr_service_pb.js";
import type { RestUploads } from "./rest.js";
import type { BlobDocument } from "./sources.js";

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
    if (document.blob.size > (await this.#maxInlineBytes())) {
      yield* this.rest.extract(document, call, signal, timeoutMs);
      return;
    }
    const { options, requestId, resumable } = call;
    const { fileName } = document;
    const content = await contentOf(document);
    const request = { content, fileName, requestId, resumable, ...(options ? { options } : {}) };
    // `extract` sends it again itself, as it does with uploads.
    const contextValues = createContextValues().set(withoutRetries, true);
    const callSettings = { ...callOptions({ timeoutMs, signal }), contextValues };
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
    this.#inlineBytes ??= this.ocr.getCapabilities({}).then(
      ({ limits }) => Number(limits?.maxInlineBytes ?? 0),
      (error) => {
        this.#inlineBytes = undefined;
        throw error;
      },
    );
    return this.#inlineBytes;
  }
}

async function contentOf({ blob }: BlobDocument): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new SourceError("The file cannot be read. Was it changed or moved?", { cause });
  }
}
