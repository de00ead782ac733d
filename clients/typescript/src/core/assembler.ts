// Puts the events of an extraction together to pages.
import type { DocumentKind } from "../gen/ocr_grpc/v1/document_pb.js";
import { DocumentKind as Kinds } from "../gen/ocr_grpc/v1/document_pb.js";
import type {
  ExtractionFinished,
  PageFinished,
  PageStarted,
  TextDelta,
  TextRetract,
} from "../gen/ocr_grpc/v1/extraction_pb.js";
import { type Block, type Line, PageOutcome } from "../gen/ocr_grpc/v1/page_pb.js";
import type { Usage } from "../gen/ocr_grpc/v1/usage_pb.js";
import type { ExtractEvent } from "./sending.js";

/** One page, as far as it is known. */
export interface ReadPage {
  /** Its number in the document, from 1. */
  readonly number: number;
  /** Its text: final once `finished` is there, what has come so far until then. */
  readonly text: string;
  /** Its lines, from engines that know them. Corners are in pixels of the rendered page. */
  readonly lines: readonly Line[];
  /** Its blocks, from engines that see blocks. */
  readonly blocks: readonly Block[];
  /** Which reading of the page the text is of, from 1. 0 before the first. */
  readonly revision: number;
  /** How it ended. Unspecified until it did. */
  readonly outcome: PageOutcome;
  /** Why it is not `PageOutcome.OK`, such as `READER_TIMED_OUT`. Empty if it is. */
  readonly reason: string;
  /** Size, resolution and source. Absent until it began. */
  readonly started: PageStarted | undefined;
  /** Everything about its end. Absent until then. */
  readonly finished: PageFinished | undefined;
}

/** A document, as far as it was read. */
export interface ReadDocument {
  readonly extractionId: string;
  readonly kind: DocumentKind;
  /** How many pages the document has, whatever was asked for. */
  readonly documentPageCount: number;
  /** The pages that are known, in their order. */
  readonly pages: readonly ReadPage[];
  /** The text of all pages that were not lost, a form feed between pages. */
  readonly text: string;
  /** What all pages consumed together. Absent until the end. */
  readonly usage: Usage | undefined;
  /** Sums and duration. Absent until the end. */
  readonly finished: ExtractionFinished | undefined;
}

interface Placed<Part> {
  readonly part: Part;
  /** Where its text stands, in UTF-16 units as strings count. */
  readonly start: number;
  readonly end: number;
}

interface Page {
  text: string;
  lines: Placed<Line>[];
  blocks: Block[];
  revision: number;
  started: PageStarted | undefined;
  finished: PageFinished | undefined;
}

/** Takes events, and knows at each moment what the document is. */
export class Assembler {
  readonly #pages = new Map<number, Page>();
  #extractionId = "";
  #kind = Kinds.UNSPECIFIED;
  #documentPageCount = 0;
  #finished: ExtractionFinished | undefined;

  /** Takes the next event. */
  add({ event }: Pick<ExtractEvent, "event">): void {
    if (event.case === "started") {
      this.#extractionId = event.value.extractionId;
      this.#kind = event.value.kind;
      this.#documentPageCount = event.value.documentPageCount;
    } else if (event.case === "pageStarted") this.#page(event.value).started = event.value;
    else if (event.case === "delta") append(this.#page(event.value), event.value);
    else if (event.case === "retract") takeBack(this.#page(event.value), event.value);
    else if (event.case === "pageFinished") finish(this.#page(event.value), event.value);
    else if (event.case === "finished") this.#finished = event.value;
  }

  /** Returns a page as it is now, or nothing if no event spoke of it. */
  page(number: number): ReadPage | undefined {
    const page = this.#pages.get(number);
    return page && shown(number, page);
  }

  /** Returns the document as it is now. */
  document(): ReadDocument {
    const numbers = [...this.#pages.keys()].sort((one, other) => one - other);
    const pages = numbers.map((number) => shown(number, this.#pages.get(number) as Page));
    const read = pages.filter(({ outcome }) => outcome !== PageOutcome.FAILED);
    return {
      extractionId: this.#extractionId,
      kind: this.#kind,
      documentPageCount: this.#documentPageCount,
      pages,
      text: read.map(({ text }) => text).join("\f"),
      usage: this.#finished?.usage,
      finished: this.#finished,
    };
  }

  #page({ pageNumber }: { readonly pageNumber: number }): Page {
    const known = this.#pages.get(pageNumber);
    if (known) return known;
    const page: Page = {
      text: "",
      lines: [],
      blocks: [],
      revision: 0,
      started: undefined,
      finished: undefined,
    };
    this.#pages.set(pageNumber, page);
    return page;
  }
}

function append(page: Page, { revision, text, lines, blocks }: TextDelta): void {
  if (revision < page.revision) return; // of a reading that a better one took the place of
  if (revision > page.revision) clear(page, revision);
  const before = page.text.length;
  page.text += text;
  page.lines.push(...placed(lines, page.text, before));
  page.blocks.push(...blocks);
}

function takeBack(page: Page, { revision, offset }: TextRetract): void {
  if (revision !== page.revision) return;
  const valid = unitsOf(page.text, offset);
  page.text = page.text.slice(0, valid);
  page.lines = page.lines.filter(({ start, end }) => start < valid && end <= valid);
  page.blocks = page.blocks.filter((block) => block.offset < offset);
}

function finish(page: Page, finished: PageFinished): void {
  page.finished = finished;
  if (finished.outcome === PageOutcome.FAILED) clear(page, finished.revision);
  else if (finished.revision !== page.revision) clear(page, finished.revision);
  page.text = finished.text;
}

function clear(page: Page, revision: number): void {
  page.text = "";
  page.lines = [];
  page.blocks = [];
  page.revision = revision;
}

function shown(number: number, page: Page): ReadPage {
  return {
    number,
    text: page.text,
    lines: page.lines.map(({ part }) => part),
    blocks: page.blocks,
    revision: page.revision,
    outcome: page.finished?.outcome ?? PageOutcome.UNSPECIFIED,
    reason: page.finished?.reason ?? "",
    started: page.started,
    finished: page.finished,
  };
}

/** Finds each line in the text, one behind the other, from `from` on. */
function placed(lines: readonly Line[], text: string, from: number): Placed<Line>[] {
  let cursor = from;
  return lines.map((part) => {
    const found = text.indexOf(part.text, cursor);
    const start = found < 0 ? cursor : found;
    cursor = found < 0 ? cursor : found + part.text.length;
    return { part, start, end: cursor };
  });
}

/** Returns how many UTF-16 units the first `points` Unicode code points of a text have. */
function unitsOf(text: string, points: number): number {
  let units = 0;
  for (let left = points; left > 0 && units < text.length; left -= 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return units;
}
