// Folds the events of an extraction into pages. Changed in place: a document may have hundreds of
// pages, and copying them for every line would make reading it quadratic.
import { ConnectError } from "@connectrpc/connect";
import type {
  ExtractionFinished,
  ExtractionStarted,
  PageFinished,
  PageImage,
  PageStarted,
  TextDelta,
  TextRetract,
} from "../gen/ocr_grpc/v1/extraction_pb.ts";
import type { StreamExtractResponse } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import { PageOutcome, TextSource } from "../gen/ocr_grpc/v1/page_pb.ts";
import { type Problem, problemOf, problemOfStatus } from "../shared/errors.ts";
import { type PlacedBlock, type PlacedLine, placedBlocks, placedLines, unitsOf } from "./places.ts";

export type ReadingEvent = StreamExtractResponse["event"];

/** `draft` and `final` are the two readings of a page, while they come. */
export type PageState = "waiting" | "reading" | "draft" | "final" | "ok" | "degraded" | "failed";

/** One page, as far as it is known. `version` grows with every change. */
export interface ReadPage {
  readonly number: number;
  state: PageState;
  started: PageStarted | null;
  picture: Blob | null;
  /** Whether there was a picture that was let go to bound memory. */
  pictureLost: boolean;
  text: string;
  /** Text, lines and blocks are those of this reading of the page, the highest that has begun. */
  revision: number;
  lines: PlacedLine[];
  blocks: PlacedBlock[];
  ended: PageFinished | null;
  version: number;
}

/** How it ended. `broken` is a stream that stopped without saying how. */
export type Ending =
  | { readonly kind: "finished"; readonly finished: ExtractionFinished }
  | { readonly kind: "failed" | "broken"; readonly problem: Problem }
  | { readonly kind: "cancelled" };

/** The most bytes of pictures that are kept; the first pages lose theirs beyond it. */
export const MAX_PICTURE_BYTES = 160 * 1024 * 1024;

const STATES: Partial<Record<PageOutcome, PageState>> = {
  [PageOutcome.OK]: "ok",
  [PageOutcome.DEGRADED]: "degraded",
  [PageOutcome.FAILED]: "failed",
};

export class Reading {
  started: ExtractionStarted | null = null;
  ending: Ending | null = null;
  /** Pages that ended, well or not. */
  endedCount = 0;
  private readonly byNumber = new Map<number, ReadPage>();
  private sorted: ReadPage[] | null = null;
  private pictureBytes = 0;

  /**
   * @param drafts whether images are read twice: a draft as revision 1, the final text as 2.
   */
  constructor(
    private readonly drafts = false,
    private readonly maxPictureBytes = MAX_PICTURE_BYTES,
  ) {}

  /** The pages known so far, in their order. */
  get pages(): readonly ReadPage[] {
    this.sorted ??= [...this.byNumber.values()].sort((a, b) => a.number - b.number);
    return this.sorted;
  }

  /** Takes one event in. Events after the last one change nothing. */
  apply(event: ReadingEvent): void {
    if (this.ending) return;
    if (event.case === "started") this.begin(event.value);
    else if (event.case === "pageStarted") this.beginPage(event.value);
    else if (event.case === "pageImage") this.showPicture(event.value);
    else if (event.case === "delta") this.append(event.value);
    else if (event.case === "retract") this.takeBack(event.value);
    else if (event.case === "pageFinished") this.endPage(event.value);
    else if (event.case === "finished") this.ending = { kind: "finished", finished: event.value };
    else if (event.case === "failed") {
      const problem = problemOfStatus(event.value.status, event.value.reason);
      this.ending = { kind: "failed", problem };
    }
  }

  /** Ends what the caller stopped. */
  cancel(): void {
    this.ending ??= { kind: "cancelled" };
  }

  /** Ends a call that failed. A `failed` event that came before it knows better. */
  fail(error: unknown): void {
    this.ending ??= { kind: "failed", problem: problemOf(error) };
  }

  /** Ends a stream that has no more events; without a last event that is a failure. */
  close(): void {
    const sentence = "The connection ended before the document did. The text is incomplete.";
    this.ending ??= { kind: "broken", problem: problemOf(new ConnectError(sentence)) };
  }

  private begin(started: ExtractionStarted): void {
    this.started = started;
    if (started.pageCount !== started.documentPageCount) return; // a choice of pages: not known which
    for (let number = 1; number <= started.pageCount; number += 1) this.page(number);
  }

  private page(number: number): ReadPage {
    const known = this.byNumber.get(number);
    if (known) return known;
    const page: ReadPage = {
      number,
      state: "waiting",
      started: null,
      picture: null,
      pictureLost: false,
      text: "",
      revision: 0,
      lines: [],
      blocks: [],
      ended: null,
      version: 0,
    };
    this.byNumber.set(number, page);
    this.sorted = null;
    return page;
  }

  private beginPage(started: PageStarted): void {
    const page = this.page(started.pageNumber);
    page.started = started;
    page.state = "reading";
    page.version += 1;
  }

  private showPicture({ pageNumber, content, contentType }: PageImage): void {
    const page = this.page(pageNumber);
    page.picture = new Blob([content as Uint8Array<ArrayBuffer>], { type: contentType });
    page.version += 1;
    this.pictureBytes += content.length;
    for (const other of this.pages) {
      if (this.pictureBytes <= this.maxPictureBytes) return;
      if (other === page || !other.picture) continue;
      this.pictureBytes -= other.picture.size;
      other.picture = null;
      other.pictureLost = true;
      other.version += 1;
    }
  }

  private append(delta: TextDelta): void {
    const page = this.page(delta.pageNumber);
    if (delta.revision < page.revision) return;
    if (delta.revision > page.revision) startAgain(page, delta.revision);
    if (this.drafts && page.started?.source === TextSource.IMAGE) {
      page.state = page.revision > 1 ? "final" : "draft";
    }
    const before = page.text.length;
    page.text += delta.text;
    page.lines.push(...placedLines(delta.lines, page.text, before));
    page.blocks.push(...placedBlocks(delta.blocks, page.text));
    page.version += 1;
  }

  private takeBack({ pageNumber, revision, offset }: TextRetract): void {
    const page = this.page(pageNumber);
    if (revision !== page.revision) return; // the text of that reading is not the one shown
    const valid = unitsOf(page.text, offset);
    page.text = page.text.slice(0, valid);
    page.lines = page.lines.filter((line) => line.end <= valid && line.start < valid);
    page.blocks = page.blocks.filter(({ block }) => block.offset < offset);
    page.version += 1;
  }

  private endPage(finished: PageFinished): void {
    const page = this.page(finished.pageNumber);
    if (!page.ended) this.endedCount += 1;
    page.ended = finished;
    page.state = STATES[finished.outcome] ?? "failed";
    if (page.state === "failed") {
      startAgain(page, page.revision); // a failed page has no text, whatever was on its way
    } else {
      if (finished.revision !== page.revision) startAgain(page, finished.revision);
      if (finished.text !== page.text) replaceText(page, finished.text);
    }
    page.version += 1;
  }
}

/**
 * Returns the form of a page's text. A draft is plain, whatever the final text will be: engines
 * that see lines write no markup.
 */
export function formatOf({ started, ended, lines }: ReadPage): TextFormat {
  if (ended?.textFormat) return ended.textFormat;
  return lines.length > 0 ? TextFormat.PLAIN : (started?.textFormat ?? TextFormat.UNSPECIFIED);
}

function startAgain(page: ReadPage, revision: number): void {
  page.revision = revision;
  page.text = "";
  page.lines = [];
  page.blocks = [];
}

function replaceText(page: ReadPage, text: string): void {
  page.text = text;
  page.lines = placedLines(
    page.lines.map(({ line }) => line),
    text,
    0,
  );
  page.blocks = placedBlocks(
    page.blocks.map(({ block }) => block),
    text,
  );
}
