// Where documents come from in a browser.
import { type Document, SourceError, shortName } from "../core/sending.js";

/** A file that somebody chose, or bytes. */
export type Source = Blob | Uint8Array | ArrayBuffer;

/** A document whose bytes the browser holds. A `File` stays on disk until it is sent. */
export interface BlobDocument extends Document {
  readonly blob: Blob;
  /** Returns its bytes. Throws `SourceError` if it was changed or moved meanwhile. */
  read(): Promise<ArrayBuffer>;
  /** Throws `SourceError` as `read` does. */
  check(): Promise<void>;
}

export function documentOf(source: Source, fileName?: string): BlobDocument {
  const blob = source instanceof Blob ? source : new Blob([source as BlobPart]);
  const ownName = typeof File !== "undefined" && source instanceof File ? source.name : "";
  return {
    fileName: shortName(fileName ?? ownName),
    repeatable: true,
    blob,
    read: () => bytesOf(blob),
    check: async () => void (await bytesOf(blob.slice(0, 1))),
  };
}

async function bytesOf(blob: Blob): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer();
  } catch (cause) {
    throw new SourceError("The file cannot be read. Was it changed or moved?", { cause });
  }
}
