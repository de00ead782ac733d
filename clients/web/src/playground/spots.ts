// What can be pointed at on a page: its lines or, from engines that see no lines, its blocks.
import type { Point, Word } from "../gen/ocr_grpc/v1/page_pb.ts";
import type { ReadPage } from "./reading.ts";

/** One of them, and where its text stands in that of the page (UTF-16 units, `end` excluded). */
export interface Spot {
  readonly kind: "line" | "block";
  /** What a block is, in the word of the model; empty for lines. */
  readonly label: string;
  readonly text: string;
  /** Four corners; none if the model did not say where a block is. */
  readonly polygon: readonly Point[];
  /** In [0, 1]; null for blocks, of which nobody knows it. */
  readonly confidence: number | null;
  readonly words: readonly Word[];
  readonly start: number;
  readonly end: number;
}

/** Returns the spots of a page in reading order. */
export function spotsOf({ text, lines, blocks }: ReadPage): Spot[] {
  if (lines.length > 0) {
    return lines.map(({ line, start, end }) => ({
      kind: "line",
      label: "",
      text: line.text,
      polygon: line.polygon,
      confidence: line.confidence,
      words: line.words,
      start,
      end,
    }));
  }
  return blocks.map(({ block, start }, index) => {
    const end = blocks[index + 1]?.start ?? text.length;
    const own = text.slice(start, end).trimEnd();
    return {
      kind: "block",
      label: block.label,
      text: own,
      polygon: block.polygon,
      confidence: null,
      words: [],
      start,
      end: start + own.length,
    };
  });
}
