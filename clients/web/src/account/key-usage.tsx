// What was done with one key.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ApiKey } from "../gen/ocr_grpc/v1/key_pb.ts";
import { UsageGrouping } from "../gen/ocr_grpc/v1/ledger_pb.ts";
import { DayBars, daysSince } from "./parts/bars.tsx";
import { keys } from "./parts/clients.ts";
import { Dialog } from "./parts/dialog.tsx";
import { useLoaded } from "./parts/load.ts";
import { daysAgo } from "./parts/ranges.ts";
import { LoadState } from "./parts/table.tsx";
import { TotalFacts } from "./parts/totals.tsx";

interface KeyUsageProps {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
}

export function KeyUsage({ apiKey, onClose }: KeyUsageProps) {
  const start = daysAgo(29);
  const summary = useLoaded(
    (signal) =>
      keys.getKeyUsage(
        {
          keyId: apiKey.keyId,
          startTime: timestampFromDate(start),
          grouping: UsageGrouping.DAY,
        },
        { signal },
      ),
    [apiKey.keyId],
  );
  return (
    <Dialog title={`Usage of ${apiKey.displayName || apiKey.prefix}`} onClose={onClose} wide>
      <p class="quiet">The last 30 days.</p>
      <LoadState loaded={summary} />
      {summary.value && (
        <>
          <TotalFacts total={summary.value.total} />
          <h3>Calls by day</h3>
          <DayBars groups={summary.value.groups} days={daysSince(start)} by="calls" />
        </>
      )}
    </Dialog>
  );
}
