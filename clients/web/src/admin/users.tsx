// All users: searching, making, changing and deleting them.
import { useState } from "preact/hooks";
import { admins } from "../account/parts/clients.ts";
import { Choice, Field, Form } from "../account/parts/form.tsx";
import { usePages } from "../account/parts/load.ts";
import { Panel } from "../account/parts/sections.tsx";
import { LoadState, Pager, Table } from "../account/parts/table.tsx";
import { counted, limit, moment, roleName } from "../account/parts/words.ts";
import { Role, type User } from "../gen/ocr_grpc/v1/user_pb.ts";
import { ROLES, UserDialog, type UserTask } from "./user-dialogs.tsx";

const PAGE_SIZE = 20;

export function UsersSection({ onChange }: { readonly onChange: () => void }) {
  const [query, setQuery] = useState("");
  const [role, setRole] = useState(Role.UNSPECIFIED);
  const [task, setTask] = useState<UserTask | null>(null);
  const [total, setTotal] = useState(0);
  const pages = usePages<User>(
    async (pageToken, signal) => {
      const request = { pageSize: PAGE_SIZE, pageToken, query, role };
      const listed = await admins.listUsers(request, { signal });
      setTotal(listed.totalSize);
      return { items: listed.users, nextPageToken: listed.nextPageToken };
    },
    [query, role],
  );
  return (
    <Panel
      title="Users"
      side={
        <button class="button primary" type="button" onClick={() => setTask({ kind: "create" })}>
          New user
        </button>
      }
    >
      <search class="filters">
        <Form
          submit="Search"
          onSubmit={async (values) => {
            setQuery(values.text("query"));
            setRole(values.number("role") ?? Role.UNSPECIFIED);
          }}
        >
          <Field name="query" type="search" label="Name or address" />
          <Choice name="role" label="Role" options={[[Role.UNSPECIFIED, "All roles"], ...ROLES]} />
        </Form>
      </search>
      <LoadState loaded={pages} />
      {pages.value && (
        <>
          <p class="quiet small" role="status">
            {counted(total, "user")}
          </p>
          <UserTable users={pages.value.items} onTask={setTask} />
        </>
      )}
      <Pager pages={pages} of="users" />
      {task && (
        <UserDialog
          task={task}
          onClose={() => setTask(null)}
          onDone={() => {
            setTask(null);
            pages.reload();
            onChange();
          }}
        />
      )}
    </Panel>
  );
}

interface UserTableProps {
  readonly users: readonly User[];
  readonly onTask: (task: UserTask) => void;
}

function UserTable({ users, onTask }: UserTableProps) {
  return (
    <Table
      caption="Users"
      rows={users}
      keyOf={(user) => user.userId}
      empty="Nobody is like that."
      columns={[
        { title: "User", cell: (user) => <UserCell user={user} />, wide: true },
        { title: "Role", cell: (user) => roleName(user.role) },
        {
          title: "Pages a month",
          number: true,
          cell: (user) => limit(user.effectiveLimits?.pagesPerMonth),
        },
        { title: "Last signed in", cell: (user) => moment(user.lastLoginTime) },
        {
          title: "Actions",
          wide: true,
          cell: (user) => (
            <div class="buttons tight">
              <button
                class="button slim"
                type="button"
                aria-label={`Edit ${user.userName}`}
                onClick={() => onTask({ kind: "edit", user })}
              >
                Edit
              </button>
              <button
                class="button slim danger"
                type="button"
                aria-label={`Delete ${user.userName}`}
                onClick={() => onTask({ kind: "delete", user })}
              >
                Delete
              </button>
            </div>
          ),
        },
      ]}
    />
  );
}

function UserCell({ user }: { readonly user: User }) {
  const more = [user.displayName, user.email].filter(Boolean).join(" · ");
  return (
    <div>
      <strong>{user.userName}</strong> {user.disabled && <span class="badge bad">Disabled</span>}
      {more && <div class="small quiet">{more}</div>}
    </div>
  );
}
