// What the page says about the reading of a document.
import { TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import { type Provenance, TextSource } from "../gen/ocr_grpc/v1/page_pb.ts";
import type { Usage } from "../gen/ocr_grpc/v1/usage_pb.ts";
import type { Reading, ReadPage } from "./reading.ts";
import { bytes, counted, kindName } from "./words.ts";

/** Returns what the document is: "PDF · 3 pages · 150 KB · read by PP-OCRv6 small". */
export function aboutDocument({ started }: Reading, file: File): string {
  const size = bytes(file.size);
  if (!started) return size;
  const parts = [kindName(started.kind), counted(started.documentPageCount, "page"), size];
  if (started.engine) parts.push(started.engine.model || started.engine.name);
  return parts.join(" · ");
}

/** Returns how far it is. */
export function progressSentence(reading: Reading, file: File): string {
  const { started, ending, endedCount } = reading;
  const of = started ? ` of ${counted(started.pageCount, "page")}` : "";
  switch (ending?.kind) {
    case "finished":
      return finishedSentence(reading);
    case "cancelled":
      return `Stopped. ${endedCount}${of} read.`.replace("0 read", "Nothing was read");
    case "failed":
      return started ? `It failed after ${endedCount}${of}.` : "It could not be read.";
    case "broken":
      return `It broke off after ${endedCount}${of}.`;
  }
  if (!started) return `Sending ${bytes(file.size)}…`;
  const begun = reading.pages.some((page) => page.state !== "waiting");
  if (!begun && started.queuePosition > 0) {
    return `Waiting: ${counted(started.queuePosition, "document")} before this one.`;
  }
  const lines = reading.pages.reduce((sum, page) => sum + page.lines.length, 0);
  return `${endedCount}${of}${lines ? `, ${counted(lines, "line")}` : ""}…`;
}

function finishedSentence(reading: Reading): string {
  if (reading.ending?.kind !== "finished") return "";
  const { pagesOk, pagesDegraded, pagesFailed, durationSeconds, usage } = reading.ending.finished;
  const parts = [
    `${counted(pagesOk + pagesDegraded, "page")} read in ${durationSeconds.toFixed(1)} s`,
  ];
  if (pagesDegraded) parts.push(`${pagesDegraded} with less quality`);
  if (pagesFailed) parts.push(`${pagesFailed} failed`);
  if (tokensOf(usage)) parts.push(tokensOf(usage));
  return `${parts.join(", ")}.`;
}

/** Returns what a language model used up: "≈ 1,200 tokens"; empty where none did. */
function tokensOf(usage: Usage | undefined): string {
  const count = usage ? usage.promptTokens + usage.completionTokens : 0;
  return count ? `${usage?.tokensEstimated ? "≈\u00a0" : ""}${counted(count, "token")}` : "";
}

/** Returns who read a page, and from what: "PP-OCRv6 small at 200 dpi, in place of vlm". */
export function howItWasRead(page: ReadPage): string {
  const { started, ended } = page;
  if (!started) return "";
  if (started.source === TextSource.TEXT_LAYER) {
    const markdown = started.textFormat === TextFormat.MARKDOWN;
    return markdown ? "its own text, as Markdown" : "its own text";
  }
  const dpi = started.dpi ? ` at ${Math.round(started.dpi)} dpi` : "";
  const tokens = tokensOf(ended?.usage);
  const instead = ended?.provenance?.fallbackFrom;
  const reader = `${readerOf(ended?.provenance)}${dpi}${instead ? `, in place of ${instead}` : ""}`;
  return tokens ? `${reader} · ${tokens}` : reader;
}

function readerOf(provenance: Provenance | undefined): string {
  const { engine = "", model = "", alphabet = "" } = provenance ?? {};
  const name = model || engine;
  if (!name) return "image";
  const letters = alphabet && alphabet !== "full" ? ` (${alphabet} characters)` : "";
  return `${name}${letters}`;
}
