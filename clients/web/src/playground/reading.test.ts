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
import { LineSchema, PageOutcome } from "../gen/ocr_grpc/v1/page_pb.ts";
import { Reading, type ReadingEvent, type ReadPage } from "./reading.ts";

const started = (pageCount: number, documentPageCount = pageCount): ReadingEvent => ({
  case: "started",
  value: create(ExtractionStartedSchema, { pageCount, documentPageCount }),
});
const pageStarted = (pageNumber: number): ReadingEvent => ({
  case: "pageStarted",
  value: create(PageStartedSchema, { pageNumber, widthPx: 800, heightPx: 600 }),
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
const retract = (pageNumber: number, offset: number, revision = 1): ReadingEvent => ({
  case: "retract",
  value: create(TextRetractSchema, { pageNumber, offset, revision }),
});
const ended = (pageNumber: number, text: string, outcome = PageOutcome.OK): ReadingEvent => ({
  case: "pageFinished",
  value: create(PageFinishedSchema, { pageNumber, text, outcome, reason: "WHY" }),
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
  const reading = new Reading();
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

test("a retract to 0 of the next revision empties the page", () => {
  const page = pageOf(read(delta(1, "old"), retract(1, 0, 2), delta(1, "new", 2)));
  expect(page.text).toBe("new");
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
  const reading = new Reading(250);
  for (const number of [1, 2, 3]) reading.apply(image(number, 100));
  expect(reading.pages.map((page) => page.picture !== null)).toEqual([false, true, true]);
  expect(pageOf(reading).pictureLost).toBe(true);
});
