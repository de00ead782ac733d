// What the user has used, and what is left.
import type { ApiKey } from "../gen/ocr_grpc/v1/key_pb.ts";
import { type Quota, UsageGrouping } from "../gen/ocr_grpc/v1/ledger_pb.ts";
import { Calls } from "./parts/calls.tsx";
import { keys, usage } from "./parts/clients.ts";
import { useLoaded } from "./parts/load.ts";
import { Panel } from "./parts/sections.tsx";
import { LoadState } from "./parts/table.tsx";
import { UsageCharts } from "./parts/usage-charts.tsx";
import { counted, day, kindOfGroup, number } from "./parts/words.ts";

const PAGE_SIZE = 20;
const MOST_KEYS = 500;

export function UsageSection() {
  const own = useLoaded(
    (signal) => keys.listKeys({ pageSize: MOST_KEYS, showRevoked: true }, { signal }),
    [],
  );
  const nameOfKey = (keyId: string) => keyName(own.value?.keys ?? [], keyId);
  return (
    <>
      <QuotaPanel />
      <UsageCharts
        title="Usage"
        summarize={(filter, grouping, signal) =>
          usage.getUsageSummary({ filter, grouping }, { signal })
        }
        divisions={[
          { grouping: UsageGrouping.METHOD, title: "call", nameOf: (group) => group },
          { grouping: UsageGrouping.KEY, title: "key", nameOf: nameOfKey },
          {
            grouping: UsageGrouping.KIND,
            title: "format",
            nameOf: (group) => kindOfGroup(group) || "no document",
          },
        ]}
      />
      <Calls
        list={async (filter, pageToken, signal) => {
          const request = { pageSize: PAGE_SIZE, pageToken, filter };
          const { records: items, nextPageToken } = await usage.listUsage(request, { signal });
          return { items, nextPageToken };
        }}
        caller={{ title: "Key", cell: (record) => nameOfKey(record.keyId) }}
      />
    </>
  );
}

function QuotaPanel() {
  const summary = useLoaded((signal) => usage.getUsageSummary({}, { signal }), []);
  const quota = summary.value?.quota;
  return (
    <Panel title="This month">
      <LoadState loaded={summary} />
      {quota && <QuotaMeter quota={quota} />}
    </Panel>
  );
}

function QuotaMeter({ quota }: { readonly quota: Quota }) {
  const used = counted(quota.usedPages, "page");
  const whose = quota.shared ? " Your organization shares this quota." : "";
  if (quota.limitPages === 0) return <p>{`${used} read. There is no limit.${whose}`}</p>;
  return (
    <>
      <p>
        <strong class="large">{used}</strong> of {number(quota.limitPages)} read
        {quota.reservedPages > 0 && `, ${number(quota.reservedPages)} more under way`}.{" "}
        {number(quota.remainingPages)} are left until {day(quota.resetTime)}.{whose}
      </p>
      <progress
        max={quota.limitPages}
        value={Math.min(quota.usedPages, quota.limitPages)}
        aria-label="Pages of this month"
      />
    </>
  );
}

function keyName(known: readonly ApiKey[], keyId: string): string {
  if (!keyId) return "signed in, no key";
  const key = known.find((each) => each.keyId === keyId);
  return key ? key.displayName || `${key.prefix}…` : keyId;
}
