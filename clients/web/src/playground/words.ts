// Numbers and names in words.
import { DocumentKind } from "../gen/ocr_grpc/v1/document_pb.ts";

const UNITS = ["bytes", "KB", "MB", "GB"];

/** Returns a size as people write it: "63 KB". */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** Returns "1 page" or "3 pages". */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Returns the name of a format: "PDF", "JPEG 2000". */
export function kindName(kind: DocumentKind): string {
  const name = (DocumentKind[kind] ?? "").replaceAll("_", " ");
  return { MARKDOWN: "Markdown", TEXT: "Text", WEBP: "WebP" }[name] ?? name;
}

const names = new Intl.DisplayNames(["en"], { type: "language" });

/** Returns the English name of a language: "German". */
export function languageName(code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code; // not a code that browsers know
  }
}
