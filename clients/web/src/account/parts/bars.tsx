// Charts: bars by day as a picture with a table beside it, and tables whose rows carry a bar.
import type { UsageGroup } from "../../gen/ocr_grpc/v1/ledger_pb.ts";
import { Table } from "./table.tsx";
import { number } from "./words.ts";

export type Measure = "pages" | "calls";

export function measured(group: UsageGroup, by: Measure): number {
  return by === "pages" ? (group.usage?.pages ?? 0) : group.calls;
}

interface DaysProps {
  readonly groups: readonly UsageGroup[];
  /** The days of the chart, in order, such as `2026-11-21`. */
  readonly days: readonly string[];
  readonly by: Measure;
}

const GAP = 0.25;
const LEAST_HEIGHT = 1.5; // a day with a single page is seen, too

/** Bars by day. */
export function DayBars({ groups, days, by }: DaysProps) {
  const values = new Map(groups.map((group) => [group.group, measured(group, by)]));
  const bars = days.map((day) => ({ day, value: values.get(day) ?? 0 }));
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const total = bars.reduce((sum, { value }) => sum + value, 0);
  return (
    <figure class="chart">
      <div class="chart-most" aria-hidden="true">
        {number(most)}
      </div>
      <svg
        role="img"
        aria-label={`${number(total)} ${by} in ${days.length} days, at most ${number(most)} in a day`}
        viewBox={`0 0 ${days.length} 100`}
        preserveAspectRatio="none"
      >
        {bars.map(({ day, value }, index) => {
          const height = value ? Math.max(LEAST_HEIGHT, (value / most) * 100) : 0;
          return (
            <rect key={day} x={index + GAP / 2} y={100 - height} width={1 - GAP} height={height}>
              <title>{`${day}: ${number(value)} ${by}`}</title>
            </rect>
          );
        })}
      </svg>
      <div class="chart-days" aria-hidden="true">
        <span>{shortDay(days[0])}</span>
        <span>{shortDay(days.at(-1))}</span>
      </div>
      <details>
        <summary>As a table</summary>
        <Table
          caption={`${by} by day`}
          rows={bars.filter(({ value }) => value > 0).reverse()}
          keyOf={({ day }) => day}
          empty="Nothing in this time."
          columns={[
            { title: "Day (UTC)", cell: ({ day }) => day },
            {
              title: by === "pages" ? "Pages" : "Calls",
              number: true,
              cell: (bar) => number(bar.value),
            },
          ]}
        />
      </details>
    </figure>
  );
}

interface GroupsProps {
  readonly title: string;
  readonly groups: readonly UsageGroup[];
  readonly by: Measure;
  readonly nameOf: (group: string) => string;
}

/** The largest groups of a summary, each with a bar. */
export function GroupBars({ title, groups, by, nameOf }: GroupsProps) {
  const rows = groups
    .filter((group) => measured(group, by) > 0)
    .sort((one, other) => measured(other, by) - measured(one, by))
    .slice(0, 12);
  const most = Math.max(1, ...rows.map((group) => measured(group, by)));
  if (rows.length === 0) return <p class="quiet">Nothing in this time.</p>;
  return (
    <table class="bars">
      <caption class="visually-hidden">{`${by} by ${title}`}</caption>
      <tbody>
        {rows.map((group) => (
          <tr key={group.group}>
            <th scope="row">{nameOf(group.group).replace("/", "/\u200b")}</th>
            <td class="number">{number(measured(group, by))}</td>
            <td class="bar" aria-hidden="true">
              <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                <rect width={(measured(group, by) / most) * 100} height="4" />
              </svg>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Returns the calendar days (UTC) from `start` to today. */
export function daysSince(start: Date): string[] {
  const days: string[] = [];
  const day = new Date(start);
  day.setUTCHours(0, 0, 0, 0);
  for (; day.getTime() <= Date.now(); day.setUTCDate(day.getUTCDate() + 1)) {
    days.push(day.toISOString().slice(0, 10));
  }
  return days;
}

function shortDay(day: string | undefined): string {
  if (!day) return "";
  const names = { day: "numeric", month: "short", timeZone: "UTC" } as const;
  return new Date(day).toLocaleDateString(undefined, names);
}
