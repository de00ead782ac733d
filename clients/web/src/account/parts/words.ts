// Values of the service as people read them.
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Scope } from "../../gen/ocr_grpc/v1/access_pb.ts";
import { DocumentKind } from "../../gen/ocr_grpc/v1/document_pb.ts";
import { Role } from "../../gen/ocr_grpc/v1/user_pb.ts";

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const NUMBER = new Intl.NumberFormat();

export const SCOPES: readonly { readonly scope: Scope; readonly label: string }[] = [
  { scope: Scope.OCR, label: "Read documents" },
  { scope: Scope.BATCHES, label: "Batches of documents" },
  { scope: Scope.USAGE, label: "See usage and quota" },
  { scope: Scope.KEYS, label: "Make and change keys" },
  { scope: Scope.ADMIN, label: "Administer everything" },
];

const ROLES: Partial<Record<Role, string>> = {
  [Role.USER]: "User",
  [Role.BUSINESS]: "Business",
  [Role.ADMIN]: "Administrator",
};

/** Returns day and time, or `otherwise` if there is none. */
export function moment(time: Timestamp | undefined, otherwise = "never"): string {
  return time ? MOMENT.format(timestampDate(time)) : otherwise;
}

/** Returns the day, or `otherwise` if there is none. */
export function day(time: Timestamp | undefined, otherwise = "never"): string {
  return time ? DAY.format(timestampDate(time)) : otherwise;
}

export function number(value: number): string {
  return NUMBER.format(value);
}

/** Returns a count with its noun: "1 page", "2 pages". */
export function counted(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

export function roleName(role: Role): string {
  return ROLES[role] ?? "Unknown";
}

export function scopeName(scope: Scope): string {
  return SCOPES.find((each) => each.scope === scope)?.label ?? "Unknown";
}

/** Returns a format such as "PDF"; empty if there was none. */
export function kindName(kind: DocumentKind): string {
  return kind === DocumentKind.UNSPECIFIED ? "" : wordsOf(DocumentKind[kind] ?? "");
}

/** Returns the name of a group of a summary by format, such as `DOCUMENT_KIND_JPEG_2000`. */
export function kindOfGroup(group: string): string {
  return wordsOf(group.replace("DOCUMENT_KIND_", ""));
}

/** Returns a limit, of which 0 is none. */
export function limit(value: number | undefined): string {
  return value ? number(value) : "no limit";
}

/** Returns seconds as a person would say them, such as "0.4 s" or "3 min". */
export function seconds(value: number): string {
  if (value < 0.0005) return "< 1 ms";
  if (value < 0.095) return `${Math.round(value * 1000)} ms`;
  if (value < 90) return `${value.toFixed(1)} s`;
  return value < 5400 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`;
}

function wordsOf(constant: string): string {
  return constant.replaceAll("_", " ");
}
