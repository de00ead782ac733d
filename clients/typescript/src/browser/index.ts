// The entry for browsers: gRPC-Web, and REST for what is too large for one message.
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { DownloadSettings } from "../core/batches.js";
import { type Caller, Client, partsOf } from "../core/client.js";
import { BlobSender } from "./blob-sender.js";
import { RestUploads } from "./rest.js";
import { type BlobDocument, documentOf, type Source } from "./sources.js";

export * from "../core/index.js";
export type { Source } from "./sources.js";

/** Who calls. Everything may be left out. */
export type ConnectSettings = Caller;

/**
 * Returns a client of the service behind an HTTP port.
 *
 * @param baseUrl such as `https://ocr.example.com`. By default where the page came from. The service
 *   answers pages of other origins if its `CORS_ORIGINS` says so.
 */
export function connect(
  baseUrl: string = globalThis.location.origin,
  settings: ConnectSettings = {},
): BrowserClient {
  return new BrowserClient(baseUrl, settings);
}

/** Calls the service from a browser. */
export class BrowserClient extends Client<Source, BlobDocument> {
  protected readonly sender: BlobSender;

  constructor(baseUrl: string, settings: ConnectSettings = {}) {
    const url = baseUrl.replace(/\/+$/, "");
    const parts = partsOf(
      (interceptors) => createGrpcWebTransport({ baseUrl: url, interceptors }),
      settings,
    );
    super(parts);
    this.sender = new BlobSender(this.ocr, new RestUploads(url, parts.credentials, parts.policy));
  }

  /** Returns a zip archive with the results of a batch, to be offered as a file. */
  async archive(batchId: string, settings: DownloadSettings = {}): Promise<Blob> {
    const pieces: BlobPart[] = [];
    for await (const piece of this.downloadArchive(batchId, settings)) {
      pieces.push(piece as Uint8Array<ArrayBuffer>);
    }
    return new Blob(pieces, { type: "application/zip" });
  }

  protected async documentOf(source: Source, fileName: string | undefined): Promise<BlobDocument> {
    return documentOf(source, fileName);
  }
}
