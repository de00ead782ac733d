// Where documents come from on a machine with files.
import { type BigIntStats, createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type Document, SourceError, shortName } from "../core/sending.js";

/** A path, a file URL, bytes, or a stream of any size. A stream is read once, as fast as it can be sent. */
export type Source = string | URL | Uint8Array | AsyncIterable<Uint8Array>;

/** Pieces of this size are sent. */
export const PIECE_BYTES = 256 * 1024;

/** A document whose bytes come in pieces. */
export interface PieceDocument extends Document {
  /** 0 if it is not known. */
  readonly sizeBytes: bigint;
  /** Yields pieces of `PIECE_BYTES`, the last one may be smaller. Throws `SourceError`. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** Opens a source. Throws `SourceError` if there is no such file. */
export async function documentOf(source: Source, fileName?: string): Promise<PieceDocument> {
  if (source instanceof URL || typeof source === "string") {
    const path = source instanceof URL ? fileURLToPath(source) : source;
    const found = await statOf(path);
    if (found.isDirectory()) throw new SourceError(`This is a folder: ${path}`);
    const sizeBytes = found.isFile() ? found.size : 0n; // a pipe has none
    // A file that grows meanwhile is sent as it was.
    const end = sizeBytes > 0n ? { end: Number(sizeBytes) - 1 } : {};
    return {
      fileName: shortName(fileName ?? basename(path)),
      sizeBytes,
      repeatable: found.isFile(),
      pieces: () => rechunked(createReadStream(path, { highWaterMark: PIECE_BYTES, ...end })),
    };
  }
  if (source instanceof Uint8Array) {
    return {
      fileName: shortName(fileName ?? ""),
      sizeBytes: BigInt(source.length),
      repeatable: true,
      pieces: () => rechunked([source]),
    };
  }
  return {
    fileName: shortName(fileName ?? ""),
    sizeBytes: 0n,
    repeatable: false,
    pieces: () => rechunked(source),
  };
}

async function statOf(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    throw new SourceError(`The file cannot be read: ${path}`, { cause });
  }
}

/** Cuts large pieces, and joins small ones, so that each message is worth sending. */
export async function* rechunked(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  try {
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + PIECE_BYTES - waitingBytes);
        at += part.length;
        waiting.push(part);
        waitingBytes += part.length;
        if (waitingBytes < PIECE_BYTES) continue;
        yield joined(waiting, waitingBytes);
        waiting = [];
        waitingBytes = 0;
      }
    }
  } catch (cause) {
    throw new SourceError("The document could not be read to its end.", { cause });
  }
  if (waitingBytes > 0) yield joined(waiting, waitingBytes);
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
