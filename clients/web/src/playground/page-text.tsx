// The text of a page. Its lines or blocks and those on the picture are marked together.
import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import { Markdown } from "./markdown.tsx";
import { formatOf, type ReadPage } from "./reading.ts";
import type { Spot } from "./spots.ts";

interface Props {
  readonly page: ReadPage;
  readonly spots: readonly Spot[];
  /** Whether it is near the screen; elsewhere the text is one piece, which costs little. */
  readonly near: boolean;
  readonly marked: number;
  readonly pinned: number;
  readonly mark: (index: number) => void;
}

export function PageText({ page, spots, near, marked, pinned, mark }: Props) {
  const text = useRef<HTMLDivElement>(null);
  // A block that was clicked on the picture may have its text far below.
  useEffect(() => {
    if (pinned < 0) return;
    text.current?.querySelector(".words.marked")?.scrollIntoView({ block: "nearest" });
  }, [pinned]);
  if (!page.text) return <p class="quiet small">{withoutText(page)}</p>;
  const markdown = formatOf(page) === TextFormat.MARKDOWN;
  return (
    <div ref={text} class={markdown ? "page-text markdown" : "page-text"}>
      {near ? shown(page, spots, marked, mark) : page.text}
    </div>
  );
}

function withoutText(page: ReadPage): string {
  if (page.ended?.blank) return "There is nothing on this page.";
  if (page.state === "failed") return "";
  return page.ended ? "No text was found." : "…";
}

function shown(
  page: ReadPage,
  spots: readonly Spot[],
  marked: number,
  mark: (index: number) => void,
): ComponentChild {
  if (page.lines.length > 0) return rows(page.text, spots, marked, mark);
  if (formatOf(page) !== TextFormat.MARKDOWN && spots.length === 0) return page.text;
  return blocks(page.text, spots, marked, mark);
}

/** Returns the rows of the text, each a block, so that what wraps is seen to belong together. */
function rows(text: string, lines: readonly Spot[], marked: number, mark: (index: number) => void) {
  const shown: ComponentChild[] = [];
  let from = 0;
  let next = 0; // of the lines that were recognized
  for (const row of text.split("\n")) {
    const end = from + row.length;
    const pieces: ComponentChild[] = [];
    let at = from;
    for (let line = lines[next]; line && line.start <= end; line = lines[++next]) {
      if (line.start < at || line.start >= line.end) continue; // not found in the text
      const index = next;
      pieces.push(
        text.slice(at, line.start),
        <span
          class={index === marked ? "words marked" : "words"}
          onPointerEnter={() => mark(index)}
          onPointerLeave={() => mark(-1)}
        >
          {text.slice(line.start, line.end)}
        </span>,
      );
      at = line.end;
    }
    shown.push(
      <div class="row" key={from}>
        {...pieces}
        {`${text.slice(at, end)}\n`}
      </div>,
    );
    from = end + 1;
  }
  return shown;
}

/** Returns the text block by block; what stands before the first one, or all without any, alone. */
function blocks(
  text: string,
  spots: readonly Spot[],
  marked: number,
  mark: (index: number) => void,
) {
  const before = text.slice(0, spots[0]?.start ?? text.length);
  return [
    <Markdown key={-1} text={before} />,
    ...spots.map(({ start, end }, index) => {
      const gap = text.slice(end, spots[index + 1]?.start ?? text.length);
      return (
        <div key={index}>
          <div
            class={index === marked ? "words marked" : "words"}
            onPointerEnter={() => mark(index)}
            onPointerLeave={() => mark(-1)}
          >
            <Markdown text={text.slice(start, end)} />
          </div>
          {gap.slice(1) /* the block itself ends its line */}
        </div>
      );
    }),
  ];
}
