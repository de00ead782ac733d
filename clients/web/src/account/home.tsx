// The account of somebody who is signed in.
import { useState } from "preact/hooks";
import { Role } from "../gen/ocr_grpc/v1/user_pb.ts";
import { isSignedIn } from "../session/session.ts";
import { signOut } from "../session/signing.ts";
import { problemOf } from "../shared/errors.ts";
import { Keys } from "./keys.tsx";
import type { Inside } from "./parts/gate.tsx";
import type { Route } from "./parts/route.ts";
import { SectionLinks } from "./parts/sections.tsx";
import { roleName } from "./parts/words.ts";
import { Profile } from "./profile.tsx";
import { UsageSection } from "./usage.tsx";

const SECTIONS = [
  { name: "keys", title: "API keys" },
  { name: "usage", title: "Usage" },
  { name: "profile", title: "Profile" },
];

interface HomeProps {
  readonly route: Route;
  readonly gate: Inside;
}

export function Home({ route, gate }: HomeProps) {
  const current = SECTIONS.some(({ name }) => name === route.name) ? route.name : "keys";
  return (
    <>
      <Greeting gate={gate} />
      <SectionLinks label="Account" sections={SECTIONS} current={current} />
      {current === "keys" && <Keys mayAdminister={gate.mayAdminister} />}
      {current === "usage" && <UsageSection />}
      {current === "profile" && <Profile gate={gate} />}
    </>
  );
}

function Greeting({ gate }: { readonly gate: Inside }) {
  const [problem, setProblem] = useState("");
  const { me, capabilities } = gate;
  return (
    <>
      <div class="greeting">
        <p>
          {isSignedIn() ? "Signed in as " : "You act as "}
          <strong>{me.displayName || me.userName}</strong>{" "}
          <span class="badge">{roleName(gate.mayAdminister ? Role.ADMIN : me.role)}</span>
        </p>
        {isSignedIn() && (
          <button
            class="button slim"
            type="button"
            onClick={() => signOut(false).catch((error) => setProblem(problemOf(error).sentence))}
          >
            Sign out
          </button>
        )}
      </div>
      <div role="alert">{problem && <p class="notice bad">{problem}</p>}</div>
      {!capabilities.authRequired && (
        <p class="notice">
          This server asks nobody to sign in: whoever reaches it is this administrator.
        </p>
      )}
    </>
  );
}
