// What people see who are not signed in.
import { type GetCapabilitiesResponse, Registration } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { Role } from "../gen/ocr_grpc/v1/user_pb.ts";
import { whyEnded } from "../session/session.ts";
import { Forgotten, Reset, Verify } from "./doors-of-mails.tsx";
import { Login } from "./login.tsx";
import type { Route } from "./parts/route.ts";
import { type Section, SectionLinks } from "./parts/sections.tsx";
import { Fact, Facts } from "./parts/totals.tsx";
import { limit } from "./parts/words.ts";
import { Register } from "./register.tsx";

interface DoorsProps {
  readonly route: Route;
  readonly capabilities: GetCapabilitiesResponse;
  /** Called when a token of a mail changed somebody's account, maybe that of this session. */
  readonly onChange: () => void;
}

/** The form that the route names; to sign in, if it names none. */
export function Doors({ route, capabilities, onChange }: DoorsProps) {
  const { registration } = capabilities;
  const sections: Section[] = [{ name: "login", title: "Sign in" }];
  if (registration !== Registration.CLOSED) {
    sections.push({ name: "register", title: "Register" });
  }
  const ended = whyEnded();
  const known = ["register", "forgot", "reset", "verify"].includes(route.name);
  return (
    <div class="doors">
      <Offer capabilities={capabilities} />
      <div class="door">
        <SectionLinks
          label="Signing in"
          sections={sections}
          current={known ? route.name : "login"}
        />
        {ended && (
          <p class="notice" role="status">
            {ended}
          </p>
        )}
        <div class="card">
          <Door route={route} registration={registration} onChange={onChange} />
        </div>
      </div>
    </div>
  );
}

/** What an account is good for, with the figures of this server. */
function Offer({ capabilities }: { readonly capabilities: GetCapabilitiesResponse }) {
  const plan = capabilities.plans.find(({ role }) => role === Role.USER);
  return (
    <div class="offer">
      <p class="large">
        With an account you make API keys for your programs, see what they read, and use the
        playground.
      </p>
      {plan && (
        <Facts>
          <Fact label="Pages a month">{limit(plan.pagesPerMonth)}</Fact>
          <Fact label="Calls a minute">{limit(plan.callsPerMinute)}</Fact>
          <Fact label="Documents at once">{limit(plan.concurrentStreams)}</Fact>
        </Facts>
      )}
    </div>
  );
}

interface DoorProps {
  readonly route: Route;
  readonly registration: Registration;
  readonly onChange: () => void;
}

function Door({ route, registration, onChange }: DoorProps) {
  switch (route.name) {
    case "register":
      return <Register route={route} registration={registration} />;
    case "forgot":
      return <Forgotten />;
    case "reset":
      return <Reset token={route.parameters.get("token") ?? ""} onChange={onChange} />;
    case "verify":
      return <Verify token={route.parameters.get("token") ?? ""} onChange={onChange} />;
    default:
      return <Login route={route} registration={registration} />;
  }
}
