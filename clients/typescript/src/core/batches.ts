// Batches: many documents that are read in the background.
import { type Client, createContextValues } from "@connectrpc/connect";
import type { Batch, BatchPriority, UploadedDocument } from "../gen/ocr_grpc/v1/batch_pb.js";
import type {
  BatchService,
  ResultFormat,
  WatchBatchResponse,
} from "../gen/ocr_grpc/v1/batch_service_pb.js";
import { Attempts } from "./attempts.js";
import { asInGrpc, OcrError } from "./errors.js";
import { RESUME_MS } from "./extraction.js";
import { gapless, Patience, type Source } from "./gapless.js";
import type { RetryPolicy } from "./policy.js";
import { withoutRetries } from "./retries.js";
import { type Document, type Options, randomId, type Sender, SourceError } from "./sending.js";
import { pause, type Scope } from "./waiting.js";

/** What a call may take. */
export interface CallSettings {
  /** Milliseconds for all of it. By default each call has the deadline of the service config. */
  readonly timeoutMs?: number;
  /** Cancels it. */
  readonly signal?: AbortSignal;
}

export interface UploadSettings extends CallSettings {
  /** What the file is called. By default the source's own name. */
  readonly fileName?: string;
}

export interface BatchSettings extends CallSettings {
  /** How the documents are read. */
  readonly options?: Options;
  /** What its owner calls it. At most 128 characters. */
  readonly displayName?: string;
  readonly priority?: BatchPriority;
  /** Hours until it is deleted after its end. By default as long as the server keeps any. */
  readonly retentionHours?: number;
  /** Makes a repetition return the same batch, for a day. By default a random one. */
  readonly requestId?: string;
}

export interface WatchSettings extends CallSettings {
  /** The number of the last event that is known. 0 by default: from the beginning. */
  readonly afterSequence?: number;
  /** Whether pages come with their text and lines. */
  readonly pages?: boolean;
  /** For how many milliseconds a broken connection is tried again without any event. 60,000 by default. */
  readonly resumeMs?: number;
}

export interface DownloadSettings extends CallSettings {
  /** The form; JSON by default. */
  readonly format?: ResultFormat;
  /** Whether to take what is there if pages are still missing. */
  readonly partial?: boolean;
}

/** Sends one document for batches to come, again where that is worth it. */
export async function upload<Sent extends Document>(
  sender: Sender<Sent>,
  retry: RetryPolicy,
  document: Sent,
  scope: Scope,
): Promise<UploadedDocument> {
  const attempts = new Attempts(retry, document.repeatable, false);
  try {
    for (;;) {
      try {
        const { document: uploaded } = await sender.upload(document, scope.signal, scope.leftMs);
        return uploaded as UploadedDocument;
      } catch (reason) {
        if (reason instanceof SourceError) throw reason;
        const error = scope.signal.aborted
          ? OcrError.from(scope.signal.reason)
          : OcrError.from(reason instanceof OcrError ? reason : asInGrpc(reason));
        const waitMs = scope.signal.aborted ? undefined : attempts.waitMs(error);
        if (waitMs === undefined) throw error;
        await pause(waitMs, scope.signal).catch((over) => {
          throw OcrError.from(over);
        });
      }
    }
  } finally {
    scope.end();
  }
}

/** Uploads documents one after the other, and makes a batch of them. */
export async function create<From>(
  stub: Client<typeof BatchService>,
  sources: Iterable<From> | AsyncIterable<From>,
  send: (source: From, settings: CallSettings) => Promise<UploadedDocument>,
  { requestId = randomId(), ...settings }: BatchSettings,
  scope: Scope,
): Promise<Batch> {
  try {
    const documents: { uploadId: string }[] = [];
    for await (const source of sources) {
      const { uploadId } = await send(source, { signal: scope.signal });
      documents.push({ uploadId });
    }
    const { options, displayName, priority, retentionHours } = settings;
    const request = { documents, options, displayName, priority, retentionHours, requestId };
    const call = callOptions({ timeoutMs: scope.leftMs, signal: scope.signal });
    return (await stub.createBatch(request, call)).batch as Batch;
  } finally {
    scope.end();
  }
}

/** Yields the events of a batch without gaps until it has ended, across broken connections. */
export async function* watch(
  stub: Client<typeof BatchService>,
  backoff: RetryPolicy,
  batchId: string,
  settings: WatchSettings,
  scope: Scope,
): AsyncGenerator<WatchBatchResponse, void, undefined> {
  const { afterSequence = 0, pages = false, resumeMs = RESUME_MS } = settings;
  const patience = new Patience(resumeMs, backoff);
  const contextValues = createContextValues().set(withoutRetries, true);
  const source: Source<WatchBatchResponse> = {
    open: (after, signal) => {
      const options = callOptions({ timeoutMs: scope.leftMs, signal });
      return stub.watchBatch(
        { batchId, afterSequence: after, pages },
        { ...options, contextValues },
      );
    },
    mayEnd: true,
    isLast: ({ event }) => event.case === "finished",
    waitMs: (error) => patience.waitMs(error),
    silentUntil: () => patience.until,
    heard: () => patience.heard(),
  };
  try {
    yield* gapless(source, afterSequence, scope.signal);
  } finally {
    scope.end();
  }
}

/** Yields the bytes of pieces that carry them. */
export async function* bytesOf(
  pieces: AsyncIterable<{ readonly content?: { readonly data: Uint8Array } | undefined }>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { content } of pieces) if (content) yield content.data;
}

/** Returns what connect-es takes: it tells an absent option from an undefined one. */
export function callOptions(settings: {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}) {
  return {
    ...(settings.timeoutMs === undefined ? {} : { timeoutMs: settings.timeoutMs }),
    ...(settings.signal ? { signal: settings.signal } : {}),
  };
}
