// Spans of time that charts show. The ledger counts days and months in UTC.

export const RANGES = [
  ["month", "This month"],
  ["30", "The last 30 days"],
  ["90", "The last 90 days"],
] as const;

/** Returns when a range of `RANGES` begins. */
export function startOf(range: string): Date {
  return range === "month" ? monthStart() : daysAgo(Number(range) - 1);
}

/** Returns the beginning of the day, so many days before today. */
export function daysAgo(days: number): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - days));
}

function monthStart(): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
}
