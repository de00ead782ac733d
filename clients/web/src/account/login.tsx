// Signing in.
import { Registration } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { signIn } from "../session/signing.ts";
import { Field, Form } from "./parts/form.tsx";
import { go, nextPath, type Route } from "./parts/route.ts";

interface LoginProps {
  readonly route: Route;
  readonly registration: Registration;
}

export function Login({ route, registration }: LoginProps) {
  return (
    <>
      <h2 class="visually-hidden">Sign in</h2>
      <Form
        submit="Sign in"
        onSubmit={async (values) => {
          await signIn(values.text("user_name"), values.text("password"));
          arrive(route);
        }}
        also={
          <a class="button plain" href="#forgot">
            Forgotten your password?
          </a>
        }
      >
        <Field
          name="user_name"
          label="User name or e-mail address"
          autocomplete="username"
          required
        />
        <Field
          name="password"
          type="password"
          label="Password"
          autocomplete="current-password"
          required
        />
      </Form>
      {registration === Registration.CLOSED && (
        <p class="quiet small">Administrators make the accounts of this server.</p>
      )}
    </>
  );
}

/** Goes to where the reader came from, or to the account. */
export function arrive(route: Route): void {
  const next = nextPath(route.parameters);
  if (next) window.location.assign(next);
  else go("keys");
}
