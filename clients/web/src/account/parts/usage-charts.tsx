// Usage as charts: by day, and by whatever else the caller can divide it.
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useState } from "preact/hooks";
import {
  type UsageFilter,
  UsageFilterSchema,
  type UsageGroup,
  UsageGrouping,
} from "../../gen/ocr_grpc/v1/ledger_pb.ts";
import { DayBars, daysSince, GroupBars, type Measure } from "./bars.tsx";
import { Choice } from "./form.tsx";
import { useLoaded } from "./load.ts";
import { RANGES, startOf } from "./ranges.ts";
import { Panel } from "./sections.tsx";
import { LoadState } from "./table.tsx";
import { TotalFacts } from "./totals.tsx";

export interface Division {
  readonly grouping: UsageGrouping;
  readonly title: string;
  readonly nameOf: (group: string) => string;
}

export interface Sums {
  readonly total?: UsageGroup | undefined;
  readonly groups: readonly UsageGroup[];
}

interface UsageChartsProps {
  readonly title: string;
  readonly summarize: (
    filter: UsageFilter,
    grouping: UsageGrouping,
    signal: AbortSignal,
  ) => Promise<Sums>;
  readonly divisions: readonly Division[];
}

const MEASURES = [
  ["pages", "Pages"],
  ["calls", "Calls"],
] as const;

export function UsageCharts({ title, summarize, divisions }: UsageChartsProps) {
  const [range, setRange] = useState<string>(RANGES[0][0]);
  const [by, setBy] = useState<Measure>("pages");
  const sums = useLoaded(
    (signal) => {
      const filter = create(UsageFilterSchema, { startTime: timestampFromDate(startOf(range)) });
      const groupings = [UsageGrouping.DAY, ...divisions.map(({ grouping }) => grouping)];
      return Promise.all(groupings.map((grouping) => summarize(filter, grouping, signal)));
    },
    [range],
  );
  const [days, ...others] = sums.value ?? [];
  return (
    <Panel
      title={title}
      side={
        <div class="choices">
          <Choice name="range" label="Time" options={RANGES} onChange={setRange} />
          <Choice
            name="measure"
            label="Count"
            options={MEASURES}
            onChange={(chosen) => setBy(chosen === "calls" ? "calls" : "pages")}
          />
        </div>
      }
    >
      <LoadState loaded={sums} />
      {days && (
        <>
          <TotalFacts total={days.total} />
          <h3>By day</h3>
          <DayBars groups={days.groups} days={daysSince(startOf(range))} by={by} />
          <div class="charts">
            {divisions.map((division, index) => (
              <div key={division.title}>
                <h3>By {division.title}</h3>
                <GroupBars
                  title={division.title}
                  groups={others[index]?.groups ?? []}
                  by={by}
                  nameOf={division.nameOf}
                />
              </div>
            ))}
          </div>
        </>
      )}
    </Panel>
  );
}
