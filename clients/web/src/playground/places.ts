// Where lines and blocks stand in the text of a page, in UTF-16 units as strings count.
import type { Block, Line } from "../gen/ocr_grpc/v1/page_pb.ts";

/** A line, and where its text stands (`end` excluded). */
export interface PlacedLine {
  readonly line: Line;
  readonly start: number;
  readonly end: number;
}

/** A block, and where its text begins; it ends where the next one begins. */
export interface PlacedBlock {
  readonly block: Block;
  readonly start: number;
}

/** Finds each line in the text, one behind the other, from `from` on. */
export function placedLines(lines: readonly Line[], text: string, from: number): PlacedLine[] {
  let cursor = from;
  return lines.map((line) => {
    const found = text.indexOf(line.text, cursor);
    const start = found < 0 ? cursor : found;
    const end = found < 0 ? cursor : found + line.text.length;
    cursor = end;
    return { line, start, end };
  });
}

/** Finds where blocks begin, which count in code points. */
export function placedBlocks(blocks: readonly Block[], text: string): PlacedBlock[] {
  return blocks.map((block) => ({ block, start: unitsOf(text, block.offset) }));
}

/** Returns how many UTF-16 units the first `points` Unicode code points of a text have. */
export function unitsOf(text: string, points: number): number {
  let units = 0;
  for (let left = points; left > 0 && units < text.length; left -= 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return units;
}
