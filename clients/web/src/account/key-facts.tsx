// What is known of a key, as people read it.
import { type ApiKey, KeyState } from "../gen/ocr_grpc/v1/key_pb.ts";
import { LIMITS } from "./parts/values.ts";
import { day, limit, moment, scopeName } from "./parts/words.ts";

const STATES: Partial<Record<KeyState, readonly [tone: string, label: string]>> = {
  [KeyState.ACTIVE]: ["good", "Active"],
  [KeyState.DISABLED]: ["warn", "Switched off"],
  [KeyState.EXPIRED]: ["warn", "Expired"],
  [KeyState.REVOKED]: ["bad", "Revoked"],
};

export function stateBadge(state: KeyState) {
  const [tone, label] = STATES[state] ?? ["", "Unknown"];
  return <span class={`badge ${tone}`}>{label}</span>;
}

/** The beginning of the secret, what the key may do, and its times. */
export function KeyFacts({ apiKey }: { readonly apiKey: ApiKey }) {
  const limits = LIMITS.filter(({ field }) => apiKey.limits?.[field] !== undefined);
  return (
    <>
      <p class="small">
        <code>{apiKey.prefix}…</code> {apiKey.scopes.map(scopeName).join(" · ")}
      </p>
      <p class="small quiet">
        Made {day(apiKey.createTime)} · last used {moment(apiKey.lastUseTime)} ·{" "}
        {apiKey.revokeTime
          ? `revoked ${moment(apiKey.revokeTime)}`
          : `expires ${moment(apiKey.expireTime)}`}
        {limits.map(({ field, label }) => ` · ${label}: ${limit(apiKey.limits?.[field])}`)}
      </p>
    </>
  );
}
