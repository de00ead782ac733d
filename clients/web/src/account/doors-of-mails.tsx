// What goes by mail: a new password, and that an address is right.
//
// Mails name a token to copy; a link such as `/account#reset?token=…` fills it in.
import { useState } from "preact/hooks";
import { auth } from "./parts/clients.ts";
import { Field, Form } from "./parts/form.tsx";

export function Forgotten() {
  const [sent, setSent] = useState(false);
  if (sent) {
    return (
      <div role="status">
        <h2>Look into your mail</h2>
        <p>
          If an account has this address, confirmed, a mail is on its way. Its token sets a new
          password within one hour.
        </p>
        <a class="button primary" href="#reset">
          I have the token
        </a>
      </div>
    );
  }
  return (
    <>
      <h2>Forgotten password</h2>
      <Form
        submit="Send the mail"
        onSubmit={async (values) => {
          await auth.requestPasswordReset({ email: values.text("email") });
          setSent(true);
        }}
        also={
          <a class="button plain" href="#login">
            Back
          </a>
        }
      >
        <Field
          name="email"
          type="email"
          label="Your confirmed e-mail address"
          autocomplete="email"
          required
        />
      </Form>
    </>
  );
}

interface TokenProps {
  readonly token: string;
  readonly onChange: () => void;
}

export function Reset({ token, onChange }: TokenProps) {
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <div role="status">
        <h2>Your password is set</h2>
        <p>All sessions were ended. Sign in with the new password.</p>
        <a class="button primary" href="#login">
          Sign in
        </a>
      </div>
    );
  }
  return (
    <>
      <h2>Set a new password</h2>
      <Form
        submit="Set the password"
        onSubmit={async (values) => {
          const newPassword = values.text("new_password");
          await auth.resetPassword({ token: values.text("token"), newPassword });
          setDone(true);
          onChange();
        }}
      >
        <Field name="token" label="Token of the mail" value={token} required />
        <Field
          name="new_password"
          type="password"
          label="New password"
          hint="8 characters or more."
          autocomplete="new-password"
          required
        />
      </Form>
    </>
  );
}

export function Verify({ token, onChange }: TokenProps) {
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <div role="status">
        <h2>Your address is confirmed</h2>
        <a class="button primary" href="#profile">
          Go to the account
        </a>
      </div>
    );
  }
  return (
    <>
      <h2>Confirm your address</h2>
      <Form
        submit="Confirm"
        onSubmit={async (values) => {
          await auth.verifyEmail({ token: values.text("token") });
          setDone(true);
          onChange();
        }}
      >
        <Field name="token" label="Token of the mail" value={token} required />
      </Form>
    </>
  );
}
