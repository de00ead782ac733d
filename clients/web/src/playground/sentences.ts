// What the page says about the reading of a document.
import type { Reading } from "./reading.ts";
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
  const { pagesOk, pagesDegraded, pagesFailed, durationSeconds } = reading.ending.finished;
  const parts = [
    `${counted(pagesOk + pagesDegraded, "page")} read in ${durationSeconds.toFixed(1)} s`,
  ];
  if (pagesDegraded) parts.push(`${pagesDegraded} with less quality`);
  if (pagesFailed) parts.push(`${pagesFailed} failed`);
  return `${parts.join(", ")}.`;
}
