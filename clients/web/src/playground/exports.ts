// What was read, as files to keep.
import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { ExtractResponseSchema } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import type { PageSchema } from "../gen/ocr_grpc/v1/page_pb.ts";
import { formatOf, type Reading, type ReadPage } from "./reading.ts";

/** Returns the text of all pages that did not fail, a form feed between them, as `Extract` does. */
export function asText(reading: Reading): string {
  const read = reading.pages.filter((page) => page.state !== "failed");
  return read.map((page) => page.text).join("\f");
}

/** Returns the document as Markdown, each page under a heading of its own. */
export function asMarkdown(reading: Reading): string {
  const pages = reading.pages.map((page) => `<!-- page ${page.number} -->\n\n${markdownOf(page)}`);
  return `${pages.join("\n\n---\n\n")}\n`;
}

/** Returns the document as JSON, in the form of `ExtractResponse`, with the names of the protos. */
export function asJson(reading: Reading): string {
  const finished = reading.ending?.kind === "finished" ? reading.ending.finished : null;
  const message = create(ExtractResponseSchema, {
    extractionId: reading.started?.extractionId ?? "",
    kind: reading.started?.kind ?? 0,
    documentPageCount: reading.started?.documentPageCount ?? 0,
    pages: reading.pages.map(pageOf),
    text: asText(reading),
    ...(finished?.usage ? { usage: finished.usage } : {}),
    durationSeconds: finished?.durationSeconds ?? 0,
  });
  const json = toJson(ExtractResponseSchema, message, {
    useProtoFieldName: true,
    alwaysEmitImplicit: true,
  });
  return `${JSON.stringify(json, null, 2)}\n`;
}

function pageOf(page: ReadPage): MessageInitShape<typeof PageSchema> {
  const { started, ended } = page;
  return {
    pageNumber: page.number,
    outcome: ended?.outcome ?? 0,
    text: page.text,
    lines: page.lines.map(({ line }) => line),
    blocks: page.blocks.map(({ block }) => block),
    widthPx: started?.widthPx ?? 0,
    heightPx: started?.heightPx ?? 0,
    dpi: started?.dpi ?? 0,
    ...(ended?.usage ? { usage: ended.usage } : {}),
    ...(ended?.provenance ? { provenance: ended.provenance } : {}),
    reason: ended?.reason ?? "",
    message: ended?.message ?? "",
    textFormat: formatOf(page),
    blank: ended?.blank ?? false,
  };
}

function markdownOf(page: ReadPage): string {
  if (page.state === "failed") return `*Page ${page.number} could not be read.*`;
  if (formatOf(page) === TextFormat.MARKDOWN) return page.text;
  return page.text
    .split(/\n{2,}/)
    .map(paragraph)
    .join("\n\n");
}

/** Returns lines of plain text as a paragraph that looks the same, a hard break after each line. */
function paragraph(text: string): string {
  return text.split("\n").map(escaped).join("\\\n");
}

function escaped(line: string): string {
  return line
    .replaceAll(/[\\`*_[\]<>|~&]/g, "\\$&")
    .replace(/^(\s*)([#+-])/, "$1\\$2")
    .replace(/^(\s*\d+)([.)])/, "$1\\$2");
}

/** Has the browser save a text as a file. */
export function save(text: string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // the browser must have begun by then
}
