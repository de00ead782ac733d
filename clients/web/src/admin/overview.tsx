// The state of the installation at a glance.
import { Calls } from "../account/parts/calls.tsx";
import { admins } from "../account/parts/clients.ts";
import { useLoaded } from "../account/parts/load.ts";
import { Panel } from "../account/parts/sections.tsx";
import { LoadState } from "../account/parts/table.tsx";
import { Fact, Facts } from "../account/parts/totals.tsx";
import { UsageCharts } from "../account/parts/usage-charts.tsx";
import { kindOfGroup, number } from "../account/parts/words.ts";
import { UsageGrouping } from "../gen/ocr_grpc/v1/ledger_pb.ts";
import { Health } from "./health.tsx";
import type { Names } from "./names.ts";

const PAGE_SIZE = 20;

export function Overview({ names }: { readonly names: Names }) {
  const nameOf = (userId: string) => (userId ? names.of(userId) : "nobody");
  return (
    <>
      <Health />
      <Stats />
      <UsageCharts
        title="Usage of everybody"
        summarize={(filter, grouping, signal) =>
          admins.getUsageSummary({ filter, grouping }, { signal })
        }
        divisions={[
          { grouping: UsageGrouping.METHOD, title: "call", nameOf: (group) => group },
          { grouping: UsageGrouping.USER, title: "user", nameOf },
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
          const { records: items, nextPageToken } = await admins.listUsage(request, { signal });
          return { items, nextPageToken };
        }}
        caller={{ title: "User", cell: (record) => nameOf(record.userId) }}
      />
    </>
  );
}

function Stats() {
  const stats = useLoaded((signal) => admins.getStats({}, { signal }), []);
  const found = stats.value;
  return (
    <Panel title="Figures">
      <LoadState loaded={stats} />
      {found && (
        <Facts>
          <Fact label="Users">{number(found.usersTotal)}</Fact>
          <Fact label="Users locked out">{number(found.usersDisabled)}</Fact>
          <Fact label="Organizations">{number(found.organizationsTotal)}</Fact>
          <Fact label="Keys in use">{number(found.keysActive)}</Fact>
          <Fact label="Extractions under way">{number(found.openExtractions)}</Fact>
          <Fact label="Servers">{number(found.servers)}</Fact>
          <Fact label="Calls, 24 hours">{number(found.lastDay?.calls ?? 0)}</Fact>
          <Fact label="Pages, 24 hours">{number(found.lastDay?.usage?.pages ?? 0)}</Fact>
          <Fact label="Pages, 30 days">{number(found.last30Days?.usage?.pages ?? 0)}</Fact>
        </Facts>
      )}
    </Panel>
  );
}
