// What administrators did and which credentials changed.
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { useState } from "preact/hooks";
import { admins } from "../account/parts/clients.ts";
import { Field, Form } from "../account/parts/form.tsx";
import { usePages } from "../account/parts/load.ts";
import { Panel } from "../account/parts/sections.tsx";
import { LoadState, NOTHING, Pager, Table } from "../account/parts/table.tsx";
import type { Values } from "../account/parts/values.ts";
import { moment } from "../account/parts/words.ts";
import type { AuditEvent } from "../gen/ocr_grpc/v1/audit_pb.ts";
import { NameList } from "./name-list.tsx";
import type { Names } from "./names.ts";

const PAGE_SIZE = 25;

/** Those one looks for; any other can be typed too. */
const ACTIONS = [
  "email.verified",
  "invite.created",
  "invite.deleted",
  "key.created",
  "key.revoked",
  "key.rotated",
  "key.updated",
  "login.failed",
  "login.succeeded",
  "member.joined",
  "member.removed",
  "organization.created",
  "organization.updated",
  "password.changed",
  "password.reset",
  "session.ended",
  "session.reused",
  "sessions.ended",
  "user.created",
  "user.deleted",
  "user.password_set",
  "user.registered",
  "user.updated",
];

interface AuditFilter {
  readonly action: string;
  readonly actorUserId: string;
  readonly targetId: string;
  /** Milliseconds since 1970; null for no bound. */
  readonly from: number | null;
  readonly until: number | null;
}

const ALL: AuditFilter = { action: "", actorUserId: "", targetId: "", from: null, until: null };

export function AuditSection({ names }: { readonly names: Names }) {
  const [filter, setFilter] = useState(ALL);
  const pages = usePages<AuditEvent>(
    async (pageToken, signal) => {
      const request = { pageSize: PAGE_SIZE, pageToken, ...requestOf(filter) };
      const listed = await admins.listAuditEvents(request, { signal });
      return { items: listed.events, nextPageToken: listed.nextPageToken };
    },
    [filter],
  );
  return (
    <Panel title="Audit log">
      <search class="filters">
        <Form submit="Show" onSubmit={async (values) => setFilter(await filterOf(values, names))}>
          <Field name="action" label="Action" list="audit-actions" placeholder="all" />
          <NameList id="audit-actions" names={ACTIONS} />
          <Field name="actor" label="By whom" list="user-names" placeholder="anybody" />
          <NameList id="user-names" names={names.known} />
          <Field name="target" label="About" list="user-names" placeholder="user, or an id" />
          <Field name="from" type="date" label="From" />
          <Field name="until" type="date" label="Until" />
        </Form>
      </search>
      <LoadState loaded={pages} />
      {pages.value && <AuditTable events={pages.value.items} names={names} />}
      <Pager pages={pages} of="the audit log" />
    </Panel>
  );
}

function AuditTable({ events, names }: { events: readonly AuditEvent[]; names: Names }) {
  return (
    <Table
      caption="Audit log"
      rows={events}
      keyOf={(event) => event.eventId}
      empty="Nothing of that kind was written down."
      columns={[
        { title: "When", cell: (event) => <span class="when">{moment(event.createTime)}</span> },
        { title: "Action", cell: (event) => <code>{event.action}</code> },
        {
          title: "By",
          cell: (event) => (event.actorUserId ? names.of(event.actorUserId) : "nobody"),
        },
        { title: "About", cell: (event) => <NameOrId id={event.targetId} names={names} /> },
        { title: "From", cell: (event) => event.address || "the server" },
        {
          title: "Details",
          wide: true,
          cell: (event) =>
            Object.entries(event.details)
              .map(([name, value]) => `${name}: ${names.of(value)}`)
              .join(", ") || NOTHING,
        },
      ]}
    />
  );
}

function NameOrId({ id, names }: { readonly id: string; readonly names: Names }) {
  const name = names.of(id);
  return name === id ? <code class="id">{id}</code> : <span>{name}</span>;
}

async function filterOf(values: Values, names: Names): Promise<AuditFilter> {
  const from = values.day("from");
  const until = values.day("until", 1);
  return {
    action: values.text("action"),
    actorUserId: await names.idOf(values.text("actor")),
    targetId: await names.idOf(values.text("target")),
    from: from ? timestampMs(from) : null,
    until: until ? timestampMs(until) : null,
  };
}

function requestOf({ from, until, ...rest }: AuditFilter) {
  return {
    ...rest,
    ...(from !== null && { startTime: timestampFromMs(from) }),
    ...(until !== null && { endTime: timestampFromMs(until) }),
  };
}
