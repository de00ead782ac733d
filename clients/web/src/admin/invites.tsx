// Invitations: making and deleting them.
import { useState } from "preact/hooks";
import { admins } from "../account/parts/clients.ts";
import { Cancel, Confirm, Dialog } from "../account/parts/dialog.tsx";
import { Choice, Field, Form } from "../account/parts/form.tsx";
import { usePages } from "../account/parts/load.ts";
import { SecretOnce } from "../account/parts/secret.tsx";
import { Panel } from "../account/parts/sections.tsx";
import { LoadState, Pager, Table } from "../account/parts/table.tsx";
import { moment, roleName } from "../account/parts/words.ts";
import type { Invite } from "../gen/ocr_grpc/v1/organization_pb.ts";
import type { Names } from "./names.ts";
import { ROLES } from "./user-dialogs.tsx";

const PAGE_SIZE = 20;

const LIFETIMES = [
  [604_800, "7 days"],
  [86_400, "one day"],
  [2_592_000, "30 days"],
] as const;

type InviteTask =
  | { readonly kind: "create" }
  | { readonly kind: "delete"; readonly invite: Invite }
  | { readonly kind: "show"; readonly code: string };

export function InvitesSection({ names }: { readonly names: Names }) {
  const [task, setTask] = useState<InviteTask | null>(null);
  const pages = usePages<Invite>(async (pageToken, signal) => {
    const listed = await admins.listInvites({ pageSize: PAGE_SIZE, pageToken }, { signal });
    return { items: listed.invites, nextPageToken: listed.nextPageToken };
  }, []);
  const close = () => setTask(null);
  return (
    <Panel
      title="Invitations"
      side={
        <button class="button primary" type="button" onClick={() => setTask({ kind: "create" })}>
          New invitation
        </button>
      }
    >
      <LoadState loaded={pages} />
      {pages.value && (
        <InviteTable
          invites={pages.value.items}
          names={names}
          onDelete={(invite) => setTask({ kind: "delete", invite })}
        />
      )}
      <Pager pages={pages} of="invitations" />
      {task?.kind === "create" && (
        <Create
          onClose={close}
          onMade={(code) => {
            pages.reload();
            setTask({ kind: "show", code });
          }}
        />
      )}
      {task?.kind === "show" && <Code code={task.code} onClose={close} />}
      {task?.kind === "delete" && (
        <Confirm
          title="Delete the invitation"
          action="Delete"
          onClose={close}
          onConfirm={async () => {
            await admins.deleteInvite({ inviteId: task.invite.inviteId });
            close();
            pages.reload();
          }}
        >
          <p>Its code cannot be used any more.</p>
        </Confirm>
      )}
    </Panel>
  );
}

interface InviteTableProps {
  readonly invites: readonly Invite[];
  readonly names: Names;
  readonly onDelete: (invite: Invite) => void;
}

function InviteTable({ invites, names, onDelete }: InviteTableProps) {
  return (
    <Table
      caption="Invitations"
      rows={invites}
      keyOf={(invite) => invite.inviteId}
      empty="There is no invitation."
      columns={[
        { title: "For", cell: (invite) => invite.email || "anybody", wide: true },
        { title: "Role", cell: (invite) => roleName(invite.role) },
        { title: "Made", cell: (invite) => moment(invite.createTime) },
        { title: "Works until", cell: (invite) => moment(invite.expireTime) },
        {
          title: "Used",
          cell: (invite) =>
            invite.useTime
              ? `${moment(invite.useTime)} by ${names.of(invite.usedByUserId)}`
              : "not yet",
        },
        {
          title: "Actions",
          wide: true,
          cell: (invite) => (
            <button
              class="button slim danger"
              type="button"
              aria-label={`Delete the invitation for ${invite.email || "anybody"}`}
              onClick={() => onDelete(invite)}
            >
              Delete
            </button>
          ),
        },
      ]}
    />
  );
}

interface CreateProps {
  readonly onClose: () => void;
  readonly onMade: (code: string) => void;
}

function Create({ onClose, onMade }: CreateProps) {
  return (
    <Dialog title="New invitation" onClose={onClose}>
      <Form
        submit="Make the invitation"
        also={<Cancel onClose={onClose} />}
        onSubmit={async (values) => {
          const made = await admins.createInvite({
            email: values.text("email"),
            role: values.number("role") ?? 0,
            lifetimeSeconds: values.number("lifetime_seconds") ?? 0,
          });
          onMade(made.code);
        }}
      >
        <Field
          name="email"
          type="email"
          label="E-mail address"
          hint="The only one that may use it; it gets a mail where this server sends any. Empty: anybody."
        />
        <Choice name="role" label="Role of the account" options={ROLES} />
        <Choice name="lifetime_seconds" label="It works for" options={LIFETIMES} />
      </Form>
    </Dialog>
  );
}

function Code({ code, onClose }: { readonly code: string; readonly onClose: () => void }) {
  return (
    <SecretOnce title="The invitation" label="Code" secret={code} onClose={onClose}>
      <p class="small">
        Whoever gets it gives it when registering on the{" "}
        <a href="/account#register">account page</a>.
      </p>
    </SecretOnce>
  );
}
