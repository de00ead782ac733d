// Making an account.
import { Registration } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { signIn } from "../session/signing.ts";
import { arrive } from "./login.tsx";
import { auth } from "./parts/clients.ts";
import { Field, Form } from "./parts/form.tsx";
import type { Route } from "./parts/route.ts";
import type { Values } from "./parts/values.ts";

interface RegisterProps {
  readonly route: Route;
  readonly registration: Registration;
}

export function Register({ route, registration }: RegisterProps) {
  if (registration === Registration.CLOSED) {
    return <p>Nobody can register here. Ask an administrator for an account.</p>;
  }
  const invited = registration === Registration.INVITE;
  const code = route.parameters.get("code") ?? undefined;
  return (
    <>
      <h2 class="visually-hidden">Register</h2>
      <Form
        submit="Make an account"
        onSubmit={async (values) => {
          await register(values);
          arrive(route);
        }}
      >
        <Field
          name="user_name"
          label="User name"
          hint="3 to 64 letters (a to z), digits, dots, hyphens or underscores."
          autocomplete="username"
          required
        />
        <Field
          name="email"
          type="email"
          label="E-mail address"
          hint="May stay empty. Needed to set a new password by mail."
          autocomplete="email"
        />
        <Field
          name="password"
          type="password"
          label="Password"
          hint="8 characters or more."
          autocomplete="new-password"
          required
        />
        <Field
          name="invite_code"
          label={invited ? "Code of your invitation" : "Code of an invitation, if you have one"}
          value={code}
          required={invited}
        />
      </Form>
    </>
  );
}

async function register(values: Values): Promise<void> {
  const userName = values.text("user_name");
  const password = values.text("password");
  const email = values.text("email");
  await auth.register({ userName, email, password, inviteCode: values.text("invite_code") });
  await signIn(userName, password);
}
