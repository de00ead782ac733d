// Making, changing and deleting a user.
import { admins } from "../account/parts/clients.ts";
import { Cancel, Confirm, Dialog } from "../account/parts/dialog.tsx";
import { Check, Choice, Field, Form } from "../account/parts/form.tsx";
import { LimitFields } from "../account/parts/limit-fields.tsx";
import { roleName } from "../account/parts/words.ts";
import { Role, type User } from "../gen/ocr_grpc/v1/user_pb.ts";
import { changesOf, typedUser } from "./user-changes.ts";

export type UserTask =
  | { readonly kind: "create" }
  | { readonly kind: "edit" | "delete"; readonly user: User };

export const ROLES = [Role.USER, Role.BUSINESS, Role.ADMIN].map(
  (role) => [role, roleName(role)] as const,
);

interface UserDialogProps {
  readonly task: UserTask;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function UserDialog({ task, onClose, onDone }: UserDialogProps) {
  if (task.kind === "create") return <Create onClose={onClose} onDone={onDone} />;
  if (task.kind === "edit") return <Edit user={task.user} onClose={onClose} onDone={onDone} />;
  return <Delete user={task.user} onClose={onClose} onDone={onDone} />;
}

interface Ends {
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function Create({ onClose, onDone }: Ends) {
  return (
    <Dialog title="New user" onClose={onClose} wide>
      <Form
        submit="Make the user"
        also={<Cancel onClose={onClose} />}
        onSubmit={async (values) => {
          const password = values.text("password");
          await admins.createUser({ user: typedUser(values), password });
          onDone();
        }}
      >
        <UserFields passwordHint="Empty: the user cannot sign in until one is set." />
      </Form>
    </Dialog>
  );
}

function Edit({ user, onClose, onDone }: Ends & { readonly user: User }) {
  return (
    <Dialog title={`Edit ${user.userName}`} onClose={onClose} wide>
      <Form
        submit="Save"
        also={<Cancel onClose={onClose} />}
        onSubmit={async (values) => {
          const changes = changesOf(user, values);
          const password = values.text("password");
          if (changes.paths.length > 0 || password) {
            await admins.updateUser({
              userId: user.userId,
              // Without a mask the server would take all that is set, so a password goes alone.
              ...(changes.paths.length > 0 && {
                user: changes.user,
                updateMask: { paths: changes.paths },
              }),
              password,
            });
          }
          onDone();
        }}
      >
        <UserFields user={user} passwordHint="Empty: it stays. A new one ends the sessions." />
        <Check
          name="disabled"
          label="Locked out: tokens and keys are refused"
          checked={user.disabled}
        />
      </Form>
    </Dialog>
  );
}

function UserFields({ user, passwordHint }: { user?: User; passwordHint: string }) {
  return (
    <>
      <div class="two">
        <Field name="user_name" label="User name" value={user?.userName} required />
        <Field
          name="display_name"
          label="How they like to be called"
          value={user?.displayName}
          maxLength={128}
        />
        <Field name="email" type="email" label="E-mail address" value={user?.email} />
        <Choice name="role" label="Role" options={ROLES} value={user?.role ?? Role.USER} />
      </div>
      <Field
        name="password"
        type="password"
        label="New password"
        hint={passwordHint}
        autocomplete="new-password"
      />
      <fieldset>
        <legend>Limits</legend>
        <p class="small quiet">Empty: as the role has it. 0: no limit.</p>
        <LimitFields limits={user?.limits} placeholder="as the role" />
      </fieldset>
    </>
  );
}

function Delete({ user, onClose, onDone }: Ends & { readonly user: User }) {
  return (
    <Confirm
      title={`Delete ${user.userName}`}
      action="Delete for good"
      onClose={onClose}
      onConfirm={async () => {
        await admins.deleteUser({ userId: user.userId });
        onDone();
      }}
    >
      <p>
        Name and address are forgotten, tokens and keys stop working within a second. What was used
        remains in the ledger. This cannot be taken back.
      </p>
    </Confirm>
  );
}
