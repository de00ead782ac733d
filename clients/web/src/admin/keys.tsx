// The API keys of everybody.
import { useState } from "preact/hooks";
import { KeyFacts, stateBadge } from "../account/key-facts.tsx";
import { admins } from "../account/parts/clients.ts";
import { Confirm } from "../account/parts/dialog.tsx";
import { Check, Field, Form } from "../account/parts/form.tsx";
import { usePages } from "../account/parts/load.ts";
import { Panel } from "../account/parts/sections.tsx";
import { LoadState, Pager } from "../account/parts/table.tsx";
import { type ApiKey, KeyState } from "../gen/ocr_grpc/v1/key_pb.ts";
import { NameList } from "./name-list.tsx";
import type { Names } from "./names.ts";

const PAGE_SIZE = 20;

export function AllKeys({ names }: { readonly names: Names }) {
  const [filter, setFilter] = useState({ userId: "", showRevoked: false });
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const pages = usePages<ApiKey>(
    async (pageToken, signal) => {
      const request = { pageSize: PAGE_SIZE, pageToken, ...filter };
      const { keys: items, nextPageToken } = await admins.listKeys(request, { signal });
      return { items, nextPageToken };
    },
    [filter],
  );
  return (
    <Panel title="Keys of everybody">
      <search class="filters">
        <Form
          submit="Show"
          onSubmit={async (values) =>
            setFilter({
              userId: await names.idOf(values.text("user_id")),
              showRevoked: values.flag("show_revoked"),
            })
          }
        >
          <Field name="user_id" label="User" list="user-names" placeholder="all" />
          <NameList id="user-names" names={names.known} />
          <Check name="show_revoked" label="Revoked ones too" />
        </Form>
      </search>
      <LoadState loaded={pages} />
      {pages.value?.items.length === 0 && <p class="quiet">There is no such key.</p>}
      <ul class="rows">
        {pages.value?.items.map((key) => (
          <li class="row" key={key.keyId}>
            <div class="row-text">
              <h3>
                {key.displayName || "A key without a name"} {stateBadge(key.state)}
              </h3>
              <p class="small">of {names.of(key.userId)}</p>
              <KeyFacts apiKey={key} />
            </div>
            {key.state !== KeyState.REVOKED && (
              <div class="buttons">
                <button
                  class="button slim danger"
                  type="button"
                  aria-label={`Revoke: ${key.displayName || key.prefix}`}
                  onClick={() => setRevoking(key)}
                >
                  Revoke
                </button>
              </div>
            )}
          </li>
        ))}
      </ul>
      <Pager pages={pages} of="keys" />
      {revoking && (
        <Confirm
          title="Revoke the key"
          action="Revoke for good"
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            await admins.revokeKey({ keyId: revoking.keyId });
            setRevoking(null);
            pages.reload();
          }}
        >
          <p>
            Calls of {names.of(revoking.userId)} with “{revoking.displayName || revoking.prefix}”
            are refused within a second. This cannot be taken back.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}
