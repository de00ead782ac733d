import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Assembler, PageOutcome, UploadExtractResponseSchema } from "ocr-grpc-client/node";

type Event = NonNullable<MessageInitShape<typeof UploadExtractResponseSchema>["event"]>;

function assembled(...events: Event[]): Assembler {
  const assembler = new Assembler();
  events.forEach((event, index) => {
    assembler.add(create(UploadExtractResponseSchema, { sequence: index + 1, event }));
  });
  return assembler;
}

const delta = (text: string, revision = 1, lines: string[] = []): Event => ({
  case: "delta",
  value: { pageNumber: 1, revision, text, lines: lines.map((line) => ({ text: line })) },
});
const retract = (offset: number, revision = 1): Event => ({
  case: "retract",
  value: { pageNumber: 1, revision, offset },
});
const textOf = (assembler: Assembler) => assembler.page(1)?.text;
const linesOf = (assembler: Assembler) => assembler.page(1)?.lines.map(({ text }) => text);

test("deltas of one revision are joined", () => {
  assert.equal(textOf(assembled(delta("One"), delta("\ntwo"))), "One\ntwo");
});

test("an offset counts code points, and not units or bytes", () => {
  assert.equal(textOf(assembled(delta("a😀b😀c"), retract(3))), "a😀b");
  assert.equal(textOf(assembled(delta("äöü😀x"), retract(4))), "äöü😀");
  assert.equal(textOf(assembled(delta("😀😀"), retract(9))), "😀😀");
});

test("text goes on after a retract", () => {
  assert.equal(textOf(assembled(delta("😀 one one"), retract(5), delta(" two"))), "😀 one two");
});

test("lines beyond a retract are void, and those that it cuts", () => {
  const events = [delta("😀 one", 1, ["😀 one"]), delta("\n😀 two\nthree", 1, ["😀 two", "three"])];
  assert.deepEqual(linesOf(assembled(...events, retract(5))), ["😀 one"]);
  assert.deepEqual(linesOf(assembled(...events, retract(11))), ["😀 one", "😀 two"]);
  assert.deepEqual(linesOf(assembled(...events, retract(13))), ["😀 one", "😀 two"]);
});

test("the highest revision is shown, and a lower one changes nothing", () => {
  const pages = assembled(
    delta("draft", 1, ["draft"]),
    delta("fin", 2),
    delta(" more", 1),
    retract(0, 1),
    delta("al", 2),
  );
  assert.equal(textOf(pages), "final");
  assert.deepEqual(linesOf(pages), []);
});

test("a page that is read anew begins anew", () => {
  assert.equal(textOf(assembled(delta("half of"), retract(0), delta("All of it"))), "All of it");
});

test("the end of a page has its last word", () => {
  const pages = assembled(
    { case: "started", value: { extractionId: "x", documentPageCount: 2 } },
    delta("Tex"),
    {
      case: "pageFinished",
      value: { pageNumber: 1, outcome: PageOutcome.OK, text: "Text", revision: 1 },
    },
    { case: "delta", value: { pageNumber: 2, revision: 1, text: "on its way" } },
    {
      case: "pageFinished",
      value: { pageNumber: 2, outcome: PageOutcome.FAILED, reason: "PAGE_TIMED_OUT" },
    },
    { case: "finished", value: { pagesOk: 1, pagesFailed: 1, usage: { pages: 1 } } },
  );
  const document = pages.document();
  assert.deepEqual(
    document.pages.map(({ text, outcome, reason }) => [text, outcome, reason]),
    [
      ["Text", PageOutcome.OK, ""],
      ["", PageOutcome.FAILED, "PAGE_TIMED_OUT"],
    ],
  );
  assert.equal(document.text, "Text");
  assert.equal(document.usage?.pages, 1);
  assert.equal(document.documentPageCount, 2);
});
