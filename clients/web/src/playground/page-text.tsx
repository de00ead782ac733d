// The text of a page. Its lines and those on the picture are marked together.
import type { ComponentChild } from "preact";
import { TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import type { ReadPage } from "./reading.ts";

interface Props {
  readonly page: ReadPage;
  /** Whether it is near the screen; elsewhere the text is one piece, which costs little. */
  readonly near: boolean;
  readonly marked: number;
  readonly mark: (index: number) => void;
}

export function PageText({ page, near, marked, mark }: Props) {
  if (!page.text) return <p class="quiet small">{withoutText(page)}</p>;
  const markdown = page.started?.textFormat === TextFormat.MARKDOWN;
  return (
    <div class={markdown ? "page-text markdown" : "page-text"}>
      {near && page.lines.length > 0 ? rows(page, marked, mark) : page.text}
    </div>
  );
}

function withoutText(page: ReadPage): string {
  if (page.ended?.blank) return "There is nothing on this page.";
  if (page.state === "failed") return "";
  return page.ended ? "No text was found." : "…";
}

/** Returns the rows of the text, each a block, so that what wraps is seen to belong together. */
function rows({ text, lines }: ReadPage, marked: number, mark: (index: number) => void) {
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
