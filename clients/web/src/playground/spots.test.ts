import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TextDeltaSchema } from "../gen/ocr_grpc/v1/extraction_pb.ts";
import { BlockSchema } from "../gen/ocr_grpc/v1/page_pb.ts";
import { Reading } from "./reading.ts";
import { spotsOf } from "./spots.ts";

test("the text of a block goes on to the next one, less the white space between them", () => {
  const reading = new Reading();
  const text = "before\n\n# Title\n\n| a |\n| b |\n\nend";
  const blocks = [
    ["title", 8],
    ["table", 17],
    ["image", 30],
    ["text", 30],
  ] as const;
  const value = create(TextDeltaSchema, {
    pageNumber: 1,
    revision: 1,
    text,
    blocks: blocks.map(([label, offset]) => create(BlockSchema, { label, offset })),
  });
  reading.apply({ case: "delta", value });
  const [page] = reading.pages;
  const spots = page ? spotsOf(page) : [];
  expect(spots.map((spot) => [spot.label, spot.text])).toEqual([
    ["title", "# Title"],
    ["table", "| a |\n| b |"],
    ["image", ""],
    ["text", "end"],
  ]);
  expect(spots.map(({ start, end }) => text.slice(start, end))).toEqual(
    spots.map((spot) => spot.text),
  );
});
