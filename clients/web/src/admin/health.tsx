// How the parts of the server are.
import { admins } from "../account/parts/clients.ts";
import { useLoaded } from "../account/parts/load.ts";
import { Panel } from "../account/parts/sections.tsx";
import { LoadState } from "../account/parts/table.tsx";
import { moment } from "../account/parts/words.ts";
import { type ComponentHealth, ComponentState } from "../gen/ocr_grpc/v1/admin_service_pb.ts";

const STATES: Partial<Record<ComponentState, readonly [tone: string, label: string]>> = {
  [ComponentState.OK]: ["good", "OK"],
  [ComponentState.DEGRADED]: ["warn", "In part"],
  [ComponentState.DOWN]: ["bad", "Down"],
  [ComponentState.OFF]: ["", "Off"],
};

export function Health() {
  const health = useLoaded((signal) => admins.getSystemHealth({}, { signal }), []);
  const found = health.value;
  return (
    <Panel
      title="Health"
      side={
        <button class="button slim" type="button" onClick={health.reload}>
          Look again
        </button>
      }
    >
      <LoadState loaded={health} />
      {found && (
        <>
          <p>
            <StateBadge state={found.state} /> Version {found.version}, running since{" "}
            {moment(found.startTime)}.
          </p>
          <ul class="tiles">
            {found.components.map((component) => (
              <Component key={component.name} component={component} />
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function Component({ component }: { readonly component: ComponentHealth }) {
  const { name, state, message, latencyMs } = component;
  return (
    <li class="tile">
      <h3>
        {title(name)} <StateBadge state={state} />
      </h3>
      {message && <p class="small">{message}</p>}
      {latencyMs > 0 && <p class="small quiet">answers in {latencyMs.toFixed(1)} ms</p>}
    </li>
  );
}

function title(name: string): string {
  return name === "http" ? "HTTP" : name.charAt(0).toUpperCase() + name.slice(1);
}

function StateBadge({ state }: { readonly state: ComponentState }) {
  const [tone, label] = STATES[state] ?? ["", "Unknown"];
  return <span class={`badge ${tone}`}>{label}</span>;
}
