// Reads one document: sends it, yields what comes back, and goes on where a connection broke.
import { create } from "@bufbuild/protobuf";
import { type Client, createContextValues } from "@connectrpc/connect";
import {
  type OcrService,
  type ResumeExtractResponse,
  UploadExtractResponseSchema,
} from "../gen/ocr_grpc/v1/ocr_service_pb.js";
import { Attempts } from "./attempts.js";
import { errorOfStatus, OcrError } from "./errors.js";
import { gapless, Patience, type Source } from "./gapless.js";
import type { RetryPolicy } from "./policy.js";
import { withoutRetries } from "./retries.js";
import {
  type Document,
  type ExtractCall,
  type ExtractEvent,
  type Options,
  randomId,
  type Sender,
} from "./sending.js";
import type { Scope } from "./waiting.js";

/** How a document is read. Everything may be left out. */
export interface ExtractSettings {
  /** What is asked of the service: pages, mode, languages and so on. */
  readonly options?: Options;
  /** What the file is called; its ending tells text formats apart. By default the source's own name. */
  readonly fileName?: string;
  /** Makes a repetition free, for a day. By default a random one. */
  readonly requestId?: string;
  /**
   * Whether a broken connection can go on where it stopped. By default yes, unless pictures of pages
   * are asked for: those are too large to be kept.
   */
  readonly resumable?: boolean;
  /** For how many milliseconds a broken connection is tried again without any event. 60,000 by default. */
  readonly resumeMs?: number;
  /** Milliseconds for all of it. By default each call has the deadline of the service config. */
  readonly timeoutMs?: number;
  /** Cancels it. So does leaving the loop over the events. */
  readonly signal?: AbortSignal;
}

export const RESUME_MS = 60_000;

/** Yields the events of one document, numbered from 1 without gaps. Throws `OcrError`. */
export async function* extraction<Sent extends Document>(
  sender: Sender<Sent>,
  ocr: Client<typeof OcrService>,
  backoff: RetryPolicy,
  document: Sent,
  settings: ExtractSettings,
  scope: Scope,
): AsyncGenerator<ExtractEvent, void, undefined> {
  const source = new Extraction(sender, ocr, backoff, document, settings, scope);
  try {
    yield* gapless(source, 0, scope.signal);
  } finally {
    scope.end();
  }
}

class Extraction<Sent extends Document> implements Source<ExtractEvent> {
  /** Over REST a connection that breaks may look like an end. */
  readonly mayEnd = false;
  readonly #call: ExtractCall;
  readonly #attempts: Attempts;
  readonly #patience: Patience;
  #extractionId = "";
  /** Whether the service said that what it began cannot go on, ever. */
  #failed = false;

  constructor(
    private readonly sender: Sender<Sent>,
    private readonly ocr: Client<typeof OcrService>,
    backoff: RetryPolicy,
    private readonly document: Sent,
    settings: ExtractSettings,
    private readonly scope: Scope,
  ) {
    const { options, requestId = randomId(), resumable = !options?.pageImageSidePx } = settings;
    this.#call = { options, requestId, resumable };
    this.#attempts = new Attempts(backoff, document.repeatable, true);
    this.#patience = new Patience(settings.resumeMs ?? RESUME_MS, backoff);
  }

  open(afterSequence: number, signal: AbortSignal): AsyncIterable<ExtractEvent> {
    const { leftMs } = this.scope;
    return this.#refusing(
      this.#extractionId
        ? this.#resumed(afterSequence, signal, leftMs)
        : this.sender.extract(this.document, this.#call, signal, leftMs),
    );
  }

  isLast({ event }: ExtractEvent): boolean {
    return event.case === "finished";
  }

  waitMs(error: OcrError): number | undefined {
    if (!this.#extractionId) return this.#attempts.waitMs(error);
    return this.#call.resumable && !this.#failed ? this.#patience.waitMs(error) : undefined;
  }

  silentUntil(): number | undefined {
    return this.#patience.until;
  }

  heard({ event }: ExtractEvent): void {
    if (event.case === "started") this.#extractionId = event.value.extractionId;
    this.#patience.heard();
  }

  /** Turns `failed` into the error that it stands for: the call's own where it has one, with its metadata. */
  async *#refusing(events: AsyncIterable<ExtractEvent>): AsyncGenerator<ExtractEvent> {
    let failure: OcrError | undefined;
    try {
      for await (const event of events) {
        if (event.event.case === "failed") {
          this.#failed = this.#extractionId !== ""; // what was refused before may be sent again
          failure = new OcrError(errorOfStatus(event.event.value.status));
        } else yield event;
      }
    } catch (error) {
      throw failure && OcrError.from(error).reason !== failure.reason ? failure : error;
    }
    if (failure) throw failure;
  }

  async *#resumed(afterSequence: number, signal: AbortSignal, timeoutMs: number | undefined) {
    const contextValues = createContextValues().set(withoutRetries, true);
    const request = { extractionId: this.#extractionId, afterSequence };
    const options = { signal, contextValues, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    for await (const event of this.ocr.resumeExtract(request, options)) yield eventOf(event);
  }
}

/** Returns an event of any of the three calls as one of the type that users see: they have the same fields. */
export function eventOf({
  sequence,
  event,
}: Pick<ResumeExtractResponse, "sequence" | "event">): ExtractEvent {
  return create(UploadExtractResponseSchema, { sequence, event });
}
