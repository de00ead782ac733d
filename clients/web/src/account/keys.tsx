// The API keys of the user.
import { useState } from "preact/hooks";
import { type ApiKey, KeyState } from "../gen/ocr_grpc/v1/key_pb.ts";
import { KeyDialog, type KeyTask } from "./key-dialogs.tsx";
import { KeyFacts, stateBadge } from "./key-facts.tsx";
import { keys } from "./parts/clients.ts";
import { usePages } from "./parts/load.ts";
import { Panel } from "./parts/sections.tsx";
import { LoadState, Pager } from "./parts/table.tsx";

const PAGE_SIZE = 20;

export function Keys({ mayAdminister }: { readonly mayAdminister: boolean }) {
  const [showRevoked, setShowRevoked] = useState(false);
  const [task, setTask] = useState<KeyTask | null>(null);
  const pages = usePages<ApiKey>(
    async (pageToken, signal) => {
      const request = { pageSize: PAGE_SIZE, pageToken, showRevoked };
      const { keys: items, nextPageToken } = await keys.listKeys(request, { signal });
      return { items, nextPageToken };
    },
    [showRevoked],
  );
  const found = pages.value?.items ?? [];
  return (
    <Panel
      title="API keys"
      side={
        <button class="button primary" type="button" onClick={() => setTask({ kind: "create" })}>
          New key
        </button>
      }
    >
      <p class="quiet">
        Programs call with a key: <code>x-api-key: ocr_…</code>. Give each its own, so that you can
        revoke one without the others.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={showRevoked}
          onChange={(event) => setShowRevoked(event.currentTarget.checked)}
        />
        Show revoked keys
      </label>
      <LoadState loaded={pages} />
      {pages.value && found.length === 0 && <p class="quiet">There is no key yet.</p>}
      <ul class="rows">
        {found.map((key) => (
          <KeyRow key={key.keyId} apiKey={key} onTask={setTask} />
        ))}
      </ul>
      <Pager pages={pages} of="API keys" />
      {task && (
        <KeyDialog
          task={task}
          mayAdminister={mayAdminister}
          onClose={() => setTask(null)}
          onDone={pages.reload}
        />
      )}
    </Panel>
  );
}

interface KeyRowProps {
  readonly apiKey: ApiKey;
  readonly onTask: (task: KeyTask) => void;
}

function KeyRow({ apiKey, onTask }: KeyRowProps) {
  const name = apiKey.displayName || "A key without a name";
  const button = (kind: "rename" | "rotate" | "usage" | "switch" | "revoke", label: string) => (
    <button
      class={`button slim ${kind === "revoke" ? "danger" : ""}`}
      type="button"
      aria-label={`${label}: ${name}`}
      onClick={() => onTask({ kind, key: apiKey })}
    >
      {label}
    </button>
  );
  const revoked = apiKey.state === KeyState.REVOKED;
  return (
    <li class="row">
      <div class="row-text">
        <h3>
          {name} {stateBadge(apiKey.state)}
        </h3>
        <KeyFacts apiKey={apiKey} />
      </div>
      <div class="buttons">
        {button("usage", "Usage")}
        {!revoked && button("rename", "Rename")}
        {!revoked && button("rotate", "Rotate")}
        {!revoked && button("switch", apiKey.disabled ? "Switch on" : "Switch off")}
        {!revoked && button("revoke", "Revoke")}
      </div>
    </li>
  );
}
