// The user's own data, password, and sessions.
import { useState } from "preact/hooks";
import type { User } from "../gen/ocr_grpc/v1/user_pb.ts";
import { isSignedIn } from "../session/session.ts";
import { signOut } from "../session/signing.ts";
import { auth, organizations } from "./parts/clients.ts";
import { Field, Form } from "./parts/form.tsx";
import type { Inside } from "./parts/gate.tsx";
import { Panel } from "./parts/sections.tsx";
import { Fact, Facts } from "./parts/totals.tsx";
import { LIMITS, type Values } from "./parts/values.ts";
import { day, limit } from "./parts/words.ts";

export function Profile({ gate }: { readonly gate: Inside }) {
  return (
    <>
      <About me={gate.me} />
      {isSignedIn() && (
        <div class="panels">
          <Details gate={gate} />
          <Password />
          {!gate.me.organizationId && <Join gate={gate} />}
          <Sessions />
        </div>
      )}
    </>
  );
}

function About({ me }: { readonly me: User }) {
  return (
    <Panel title="Your account">
      <Facts>
        <Fact label="User name">{me.userName}</Fact>
        <Fact label="Since">{day(me.createTime)}</Fact>
        {LIMITS.map(({ field, label }) => (
          <Fact key={field} label={label}>
            {limit(me.effectiveLimits?.[field])}
          </Fact>
        ))}
      </Facts>
    </Panel>
  );
}

function Details({ gate }: { readonly gate: Inside }) {
  const { me, reload } = gate;
  const [done, setDone] = useState("");
  return (
    <Panel title="Details">
      <Form
        submit="Save"
        onSubmit={async (values) => {
          setDone("");
          await saveDetails(me, values);
          setDone("Saved.");
          reload();
        }}
        also={<Done text={done} />}
      >
        <Field
          name="display_name"
          label="How you like to be called"
          value={me.displayName}
          autocomplete="name"
          maxLength={128}
        />
        <Field
          name="email"
          type="email"
          label="E-mail address"
          value={me.email}
          autocomplete="email"
        />
      </Form>
      {me.email && <Confirmation me={me} />}
    </Panel>
  );
}

/** Sends what was changed and nothing else. */
async function saveDetails(me: User, values: Values): Promise<void> {
  const displayName = values.text("display_name");
  const email = values.text("email");
  const paths = [];
  if (displayName !== me.displayName) paths.push("display_name");
  if (email !== me.email) paths.push("email");
  if (paths.length > 0) {
    await auth.updateMe({ user: { displayName, email }, updateMask: { paths } });
  }
}

function Confirmation({ me }: { readonly me: User }) {
  const [sent, setSent] = useState(false);
  if (me.emailVerified) {
    return (
      <p>
        <span class="badge good">Confirmed</span> Your address is confirmed.
      </p>
    );
  }
  return (
    <div class="notice warn">
      <p>Your address is not confirmed, so it cannot be used to set a new password.</p>
      {sent ? (
        <p role="status">
          A mail is on its way. <a href="#verify">Enter its token.</a>
        </p>
      ) : (
        <Form
          submit="Send me a mail to confirm it"
          onSubmit={async () => {
            await auth.requestEmailVerification({});
            setSent(true);
          }}
        />
      )}
    </div>
  );
}

function Password() {
  const [done, setDone] = useState("");
  return (
    <Panel title="Password">
      <Form
        key={done}
        submit="Change the password"
        onSubmit={async (values) => {
          const oldPassword = values.text("old_password");
          await auth.changePassword({ oldPassword, newPassword: values.text("new_password") });
          setDone("Changed. All your other sessions were ended.");
        }}
        also={<Done text={done} />}
      >
        <Field
          name="old_password"
          type="password"
          label="Password until now"
          autocomplete="current-password"
          required
        />
        <Field
          name="new_password"
          type="password"
          label="New password"
          autocomplete="new-password"
          hint="8 characters or more. API keys go on working."
          required
        />
      </Form>
    </Panel>
  );
}

function Join({ gate }: { readonly gate: Inside }) {
  return (
    <Panel title="Organization">
      <p class="quiet">Members of an organization share its quota. An owner can invite you.</p>
      <Form
        submit="Join"
        onSubmit={async (values) => {
          await organizations.acceptInvite({ code: values.text("invite_code") });
          gate.reload();
        }}
      >
        <Field name="invite_code" label="Code of your invitation" required />
      </Form>
    </Panel>
  );
}

function Sessions() {
  return (
    <Panel title="Sessions">
      <p class="quiet">Ends every session of yours, this one too. API keys go on working.</p>
      <Form submit="Sign out everywhere" tone="danger" onSubmit={() => signOut(true)} />
    </Panel>
  );
}

function Done({ text }: { readonly text: string }) {
  return (
    <span role="status" class="done">
      {text}
    </span>
  );
}
