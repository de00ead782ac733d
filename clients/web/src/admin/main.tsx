// The admin dashboard: users, keys, invitations, usage, health, audit log.
import "../account/parts/parts.css";
import { render } from "preact";
import { useGate } from "../account/parts/gate.tsx";
import { useRoute } from "../account/parts/route.ts";
import { SectionLinks } from "../account/parts/sections.tsx";
import { LoadState } from "../account/parts/table.tsx";
import { AuditSection } from "./audit.tsx";
import { InvitesSection } from "./invites.tsx";
import { AllKeys } from "./keys.tsx";
import { useNames } from "./names.ts";
import { Overview } from "./overview.tsx";
import { UsersSection } from "./users.tsx";

const SECTIONS = [
  { name: "overview", title: "Overview" },
  { name: "users", title: "Users" },
  { name: "keys", title: "Keys" },
  { name: "invites", title: "Invitations" },
  { name: "audit", title: "Audit log" },
];

function AdminPage() {
  const gate = useGate();
  if (gate.at === "loading") return <LoadState loaded={gate.loaded} />;
  if (gate.at === "outside") {
    return (
      <div class="card door">
        <p>This page is for administrators. Please sign in first.</p>
        <a class="button primary" href="/account#login?next=/admin">
          Sign in
        </a>
      </div>
    );
  }
  if (!gate.mayAdminister) {
    return (
      <div class="card door">
        <p>
          This page is for administrators, and <strong>{gate.me.userName}</strong> is not one. Ask
          an administrator if you need something here.
        </p>
        <a class="button" href="/account">
          Go to your account
        </a>
      </div>
    );
  }
  return <Dashboard />;
}

function Dashboard() {
  const route = useRoute();
  const current = SECTIONS.some(({ name }) => name === route.name) ? route.name : "overview";
  const names = useNames(current);
  return (
    <>
      <SectionLinks label="Administration" sections={SECTIONS} current={current} />
      {current === "overview" && <Overview names={names} />}
      {current === "users" && <UsersSection onChange={names.reload} />}
      {current === "keys" && <AllKeys names={names} />}
      {current === "invites" && <InvitesSection names={names} />}
      {current === "audit" && <AuditSection names={names} />}
    </>
  );
}

const place = document.getElementById("app");
if (place) render(<AdminPage />, place);
