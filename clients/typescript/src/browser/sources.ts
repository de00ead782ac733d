// Where documents come from in a browser.
import { type Document, shortName } from "../core/sending.js";

/** A file that somebody chose, or bytes. */
export type Source = Blob | Uint8Array | ArrayBuffer;

/** A document whose bytes the browser holds. A `File` stays on disk until it is sent. */
export interface BlobDocument extends Document {
  readonly blob: Blob;
}

export function documentOf(source: Source, fileName?: string): BlobDocument {
  const blob = source instanceof Blob ? source : new Blob([source as BlobPart]);
  const ownName = typeof File !== "undefined" && source instanceof File ? source.name : "";
  return { fileName: shortName(fileName ?? ownName), repeatable: true, blob };
}
