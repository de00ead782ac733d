import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  ExtractionFailedSchema,
  ExtractionFinishedSchema,
  ExtractionStartedSchema,
  PageFinishedSchema,
  PageImageSchema,
  PageStartedSchema,
  TextDeltaSchema,
  TextRetractSchema,
} from "../gen/ocr_grpc/v1/extraction_pb.ts";
import { TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import { BlockSchema, LineSchema, PageOutcome, TextSource } from "../gen/ocr_grpc/v1/page_pb.ts";
import { formatOf, Reading, type ReadingEvent, type ReadPage } from "./reading.ts";

const started = (pageCount: number, documentPageCount = pageCount): ReadingEvent => ({
  case: "started",
  value: create(ExtractionStartedSchema, { pageCount, documentPageCount }),
});
const pageStarted = (pageNumber: number, source = TextSource.IMAGE): ReadingEvent => ({
  case: "pageStarted",
  value: create(PageStartedSchema, {
    pageNumber,
    widthPx: 800,
    heightPx: 600,
    source,
    textFormat: TextFormat.MARKDOWN,
  }),
});
const delta = (pageNumber: number, text: string, revision = 1): ReadingEvent => ({
  case: "delta",
  value: create(TextDeltaSchema, {
    pageNumber,
    revision,
    text,
    lines: text
      .split("\n")
      .filter(Boolean)
      .map((line) => create(LineSchema, { text: line })),
  }),
});
/** A piece of an engine that sees blocks: they begin at these code points of the page's text. */
const blocks = (text: string, offsets: number[], revision = 1): ReadingEvent => ({
  case: "delta",
  value: create(TextDeltaSchema, {
    pageNumber: 1,
    revision,
    text,
    blocks: offsets.map((offset) => create(BlockSchema, { label: "text", offset })),
  }),
});
const retract = (pageNumber: number, offset: number, revision = 1): ReadingEvent => ({
  case: "retract",
  value: create(TextRetractSchema, { pageNumber, offset, revision }),
});
const ended = (
  pageNumber: number,
  text: string,
  outcome = PageOutcome.OK,
  revision = 1,
): ReadingEvent => ({
  case: "pageFinished",
  value: create(PageFinishedSchema, { pageNumber, text, outcome, revision, reason: "WHY" }),
});
const image = (pageNumber: number, bytes: number): ReadingEvent => ({
  case: "pageImage",
  value: create(PageImageSchema, { pageNumber, content: new Uint8Array(bytes) }),
});
const finished: ReadingEvent = {
  case: "finished",
  value: create(ExtractionFinishedSchema, { pagesOk: 1 }),
};

function read(...events: ReadingEvent[]): Reading {
  return readInto(new Reading(), ...events);
}

function readInto(reading: Reading, ...events: ReadingEvent[]): Reading {
  for (const event of events) reading.apply(event);
  return reading;
}

function pageOf(reading: Reading, number = 1): ReadPage {
  const page = reading.pages.find((candidate) => candidate.number === number);
  if (!page) throw new Error(`no page ${number}`);
  return page;
}

test("deltas of interleaved pages are joined page by page", () => {
  const reading = read(started(2), delta(1, "a"), delta(2, "x"), delta(1, "\nb"), delta(2, "\ny"));
  expect(reading.pages.map((page) => page.text)).toEqual(["a\nb", "x\ny"]);
});

test("all pages are known from the start, unless only some are read", () => {
  expect(read(started(3)).pages.length).toBe(3);
  expect(read(started(2, 9), pageStarted(7), pageStarted(4)).pages.map((p) => p.number)).toEqual([
    4, 7,
  ]);
});

test("a line knows where its text stands", () => {
  const page = pageOf(read(delta(1, "one one\n"), delta(1, "one\n\ntwo")));
  expect(page.lines.map(({ start, end }) => page.text.slice(start, end))).toEqual([
    "one one",
    "one",
    "two",
  ]);
  expect(page.lines[1]?.start).toBe(8);
});

test("a retract counts code points and takes lines back too", () => {
  const page = pageOf(read(delta(1, "🙂 a\n"), delta(1, "b\nc"), retract(1, 4)));
  expect(page.text).toBe("🙂 a\n");
  expect(page.lines.map(({ line }) => line.text)).toEqual(["🙂 a"]);
});

test("a new revision replaces the old one, and late pieces of the old one are ignored", () => {
  const page = pageOf(read(delta(1, "old"), delta(1, "new", 2), delta(1, " old", 1)));
  expect(page.text).toBe("new");
  expect(page.lines.length).toBe(1);
});

test("a retract takes from its own revision alone", () => {
  const early = pageOf(read(delta(1, "old"), retract(1, 0, 2)));
  expect(early.text).toBe("old");
  const late = pageOf(read(delta(1, "old"), delta(1, "new", 2), retract(1, 0, 1)));
  expect(late.text).toBe("new");
});

test("the blocks of a final reading take the place of the lines of its draft", () => {
  const page = pageOf(read(delta(1, "a line"), blocks("# Title\n\nText", [0, 9], 2)));
  expect(page.lines).toEqual([]);
  expect(page.blocks.map(({ start }) => page.text.slice(start))).toEqual([
    "# Title\n\nText",
    "Text",
  ]);
});

test("a block knows where its text begins, which counts in code points", () => {
  const page = pageOf(read(blocks("🙂🙂\n", [0]), blocks("next", [3])));
  expect(page.blocks.map(({ start }) => start)).toEqual([0, 5]);
});

test("a retract takes back the blocks that began there", () => {
  const page = pageOf(read(blocks("one\n\ntwo\n\n", [0, 5]), blocks("two", [10]), retract(1, 5)));
  expect(page.text).toBe("one\n\n");
  expect(page.blocks.map(({ block }) => block.offset)).toEqual([0]);
});

test("a page read twice tells which of its readings is coming", () => {
  const reading = new Reading(true);
  const states = [
    pageStarted(1),
    delta(1, "draft"),
    delta(1, "final", 2),
    ended(1, "final", PageOutcome.OK, 2),
  ].map((event) => pageOf(readInto(reading, event)).state);
  expect(states).toEqual(["reading", "draft", "final", "ok"]);
});

test("the text layer of a page is never a draft", () => {
  const events = [pageStarted(1, TextSource.TEXT_LAYER), delta(1, "own text")];
  expect(pageOf(readInto(new Reading(true), ...events)).state).toBe("reading");
});

test("a draft is plain text, though the final reading will be Markdown", () => {
  const reading = read(pageStarted(1), delta(1, "draft"));
  expect(formatOf(pageOf(reading))).toBe(TextFormat.PLAIN);
  readInto(reading, blocks("# final", [0], 2));
  expect(formatOf(pageOf(reading))).toBe(TextFormat.MARKDOWN);
});

test("the reading that counts is the one the end names", () => {
  const events = [delta(1, "draft"), blocks("", [0], 2), ended(1, "draft", PageOutcome.DEGRADED)];
  const page = pageOf(read(...events));
  expect([page.text, page.revision, page.blocks]).toEqual(["draft", 1, []]);
});

test("a final reading without a word leaves nothing of its draft", () => {
  const page = pageOf(read(delta(1, "draft"), ended(1, "", PageOutcome.OK, 2)));
  expect([page.text, page.lines]).toEqual(["", []]);
});

test("the text of the page's end counts, and lines are found in it again", () => {
  const page = pageOf(read(delta(1, "a b"), ended(1, "a\n\na b")));
  expect(page.text).toBe("a\n\na b");
  expect(page.lines[0]?.start).toBe(3);
  expect(page.state).toBe("ok");
});

test("a failed page has no text and tells why", () => {
  const page = pageOf(read(delta(1, "half"), ended(1, "", PageOutcome.FAILED)));
  expect([page.state, page.text, page.lines.length, page.ended?.reason]).toEqual([
    "failed",
    "",
    0,
    "WHY",
  ]);
});

test("a stream without a last event is broken", () => {
  const reading = read(started(1), delta(1, "a"));
  reading.close();
  expect(reading.ending?.kind).toBe("broken");
});

test("the last event stands, whatever comes after it", () => {
  const reading = read(started(1), finished);
  reading.fail(new Error("late"));
  reading.close();
  reading.cancel();
  expect(reading.ending?.kind).toBe("finished");
});

test("a failed event carries its sentence and its reason", () => {
  const reading = read({
    case: "failed",
    value: create(ExtractionFailedSchema, {
      reason: "PASSWORD_REQUIRED",
      status: { code: 9, message: "The document needs a password." },
    }),
  });
  expect(reading.ending).toMatchObject({
    kind: "failed",
    problem: { reason: "PASSWORD_REQUIRED", sentence: "The document needs a password." },
  });
});

test("pictures are let go from the first page on once there are too many", () => {
  const reading = new Reading(false, 250);
  for (const number of [1, 2, 3]) reading.apply(image(number, 100));
  expect(reading.pages.map((page) => page.picture !== null)).toEqual([false, true, true]);
  expect(pageOf(reading).pictureLost).toBe(true);
});
