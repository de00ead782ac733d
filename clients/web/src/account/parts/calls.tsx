// Calls of the ledger, the newest first.
import { create } from "@bufbuild/protobuf";
import { useState } from "preact/hooks";
import {
  type UsageFilter,
  UsageFilterSchema,
  type UsageRecord,
} from "../../gen/ocr_grpc/v1/ledger_pb.ts";
import { Choice } from "./form.tsx";
import { type Page, usePages } from "./load.ts";
import { Panel } from "./sections.tsx";
import { type Column, LoadState, NOTHING, Pager, Table } from "./table.tsx";
import { kindName, moment, number, seconds } from "./words.ts";

const METHODS = [
  ["", "All calls"],
  ["OcrService/UploadExtract", "Uploaded documents"],
  ["OcrService/StreamExtract", "Streamed documents"],
  ["OcrService/Extract", "Whole documents"],
] as const;

interface CallsProps {
  readonly list: (
    filter: UsageFilter,
    pageToken: string,
    signal: AbortSignal,
  ) => Promise<Page<UsageRecord>>;
  /** Who called or with what; differs between one's own calls and those of all. */
  readonly caller: Column<UsageRecord>;
}

export function Calls({ list, caller }: CallsProps) {
  const [method, setMethod] = useState<string>("");
  const pages = usePages<UsageRecord>(
    (pageToken, signal) => list(create(UsageFilterSchema, { method }), pageToken, signal),
    [method],
  );
  return (
    <Panel
      title="Recent calls"
      side={<Choice name="method" label="Calls" options={METHODS} onChange={setMethod} />}
    >
      <LoadState loaded={pages} />
      {pages.value && (
        <Table
          caption="Recent calls"
          rows={pages.value.items}
          keyOf={(record) => record.usageId}
          empty="There was no such call yet."
          columns={columnsWith(caller)}
        />
      )}
      <Pager pages={pages} of="recent calls" />
    </Panel>
  );
}

function columnsWith(caller: Column<UsageRecord>): Column<UsageRecord>[] {
  return [
    { title: "When", cell: (record) => <span class="when">{moment(record.createTime)}</span> },
    { title: "Call", cell: (record) => <Method name={record.method} />, wide: true },
    caller,
    { title: "Document", cell: (record) => kindName(record.kind) || NOTHING },
    {
      title: "Pages",
      number: true,
      cell: (record) => (record.usage?.pages ? number(record.usage.pages) : NOTHING),
    },
    { title: "Took", number: true, cell: (record) => seconds(record.durationSeconds) },
    { title: "Status", cell: (record) => <Status record={record} /> },
  ];
}

/** The name of an RPC, which may go on after its service in the next line. */
function Method({ name }: { readonly name: string }) {
  const [service, method] = name.split("/");
  return (
    <code>
      {service}/<wbr />
      {method}
    </code>
  );
}

function Status({ record }: { readonly record: UsageRecord }) {
  const tone = record.status === "OK" ? "good" : record.status === "OPEN" ? "" : "bad";
  return <span class={`badge ${tone}`}>{record.reason || record.status}</span>;
}
