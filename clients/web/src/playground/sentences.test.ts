import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PageFinishedSchema, PageStartedSchema } from "../gen/ocr_grpc/v1/extraction_pb.ts";
import { PageOutcome, TextSource } from "../gen/ocr_grpc/v1/page_pb.ts";
import { Reading } from "./reading.ts";
import { howItWasRead } from "./sentences.ts";

function told(finished: MessageInitShape<typeof PageFinishedSchema>): string {
  const reading = new Reading();
  const started = { pageNumber: 1, dpi: 200, source: TextSource.IMAGE };
  reading.apply({ case: "pageStarted", value: create(PageStartedSchema, started) });
  const ended = { pageNumber: 1, outcome: PageOutcome.OK, ...finished };
  reading.apply({ case: "pageFinished", value: create(PageFinishedSchema, ended) });
  const [page] = reading.pages;
  return page ? howItWasRead(page) : "";
}

test("a page tells its model, and the characters it chose from if they were not all", () => {
  const model = "PP-OCRv6 small";
  expect(told({ provenance: { model, alphabet: "full" } })).toBe("PP-OCRv6 small at 200 dpi");
  expect(told({ provenance: { model, alphabet: "latin" } })).toBe(
    "PP-OCRv6 small (latin characters) at 200 dpi",
  );
});

test("a page tells whom it was read in place of, and that tokens are an estimate", () => {
  const finished = {
    provenance: { engine: "ppocr", fallbackFrom: "vlm" },
    usage: { promptTokens: 1000, completionTokens: 234, tokensEstimated: true },
  };
  expect(told(finished)).toBe("ppocr at 200 dpi, in place of vlm · ≈\u00a01,234 tokens");
});
