// What was typed into a form, as the protos want it.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type CallerLimits, CallerLimitsSchema } from "../../gen/ocr_grpc/v1/user_pb.ts";

const MOST_INT32 = 2_147_483_647;

/** Limits by their names in field masks and in messages. */
export const LIMITS = [
  { path: "calls_per_minute", field: "callsPerMinute", label: "Calls per minute" },
  { path: "pages_per_month", field: "pagesPerMonth", label: "Pages per month" },
  { path: "concurrent_streams", field: "concurrentStreams", label: "Extractions at once" },
] as const;

/** The values of a form's fields. */
export class Values {
  constructor(private readonly form: FormData) {}

  /** Returns a text; passwords keep their spaces. */
  text(name: string): string {
    const value = String(this.form.get(name) ?? "");
    return name.endsWith("password") ? value : value.trim();
  }

  /** Returns a whole number that fits an int32, or undefined if nothing was typed. */
  number(name: string): number | undefined {
    const text = this.text(name);
    return text === "" ? undefined : Math.min(Math.trunc(Number(text)), MOST_INT32);
  }

  /** Returns the numbers of the boxes that are ticked. */
  numbers(name: string): number[] {
    return this.form.getAll(name).map(Number);
  }

  flag(name: string): boolean {
    return this.form.has(name);
  }

  /** Returns the first moment of a day here, `daysLater`, or undefined if none was chosen. */
  day(name: string, daysLater = 0): Timestamp | undefined {
    const text = this.text(name);
    if (!text) return undefined;
    const date = new Date(`${text}T00:00:00`);
    date.setDate(date.getDate() + daysLater);
    return timestampFromDate(date);
  }

  /** Returns limits; those left empty are absent. */
  limits(): CallerLimits {
    const typed: MessageInitShape<typeof CallerLimitsSchema> = {};
    for (const { path, field } of LIMITS) {
      const value = this.number(path);
      if (value !== undefined) typed[field] = value;
    }
    return create(CallerLimitsSchema, typed);
  }
}
