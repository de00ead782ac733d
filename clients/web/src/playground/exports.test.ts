import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PageFinishedSchema } from "../gen/ocr_grpc/v1/extraction_pb.ts";
import { PageOutcome } from "../gen/ocr_grpc/v1/page_pb.ts";
import { asJson, asMarkdown, asText } from "./exports.ts";
import { Reading } from "./reading.ts";

function read(...pages: (readonly [text: string, outcome: PageOutcome])[]): Reading {
  const reading = new Reading();
  for (const [index, [text, outcome]] of pages.entries()) {
    const value = create(PageFinishedSchema, { pageNumber: index + 1, text, outcome });
    reading.apply({ case: "pageFinished", value });
  }
  return reading;
}

const someFailed = read(
  ["one\nline", PageOutcome.OK],
  ["half of", PageOutcome.FAILED],
  ["", PageOutcome.OK],
  ["four", PageOutcome.DEGRADED],
);

test("the text is that of `Extract`: pages that did not fail, a form feed between them", () => {
  expect(asText(someFailed)).toBe("one\nline\f\ffour");
});

test("the JSON has the same text, and the failed pages too", () => {
  const document = JSON.parse(asJson(someFailed));
  expect(document.text).toBe("one\nline\f\ffour");
  expect(document.pages.map((page: { outcome: string }) => page.outcome)).toEqual([
    "PAGE_OUTCOME_OK",
    "PAGE_OUTCOME_FAILED",
    "PAGE_OUTCOME_OK",
    "PAGE_OUTCOME_DEGRADED",
  ]);
});

test("the Markdown says which page could not be read", () => {
  expect(asMarkdown(someFailed)).toContain("*Page 2 could not be read.*");
});
