// What can be done with a key, each in a dialog.
import { useState } from "preact/hooks";
import type { ApiKey } from "../gen/ocr_grpc/v1/key_pb.ts";
import { NewKey } from "./key-form.tsx";
import { KeyUsage } from "./key-usage.tsx";
import { keys } from "./parts/clients.ts";
import { Cancel, Confirm, Dialog } from "./parts/dialog.tsx";
import { Choice, Field, Form } from "./parts/form.tsx";
import { SecretOnce } from "./parts/secret.tsx";
import { moment } from "./parts/words.ts";

export type KeyTask =
  | { readonly kind: "create" }
  | { readonly kind: "rename" | "rotate" | "usage" | "switch" | "revoke"; readonly key: ApiKey };

interface KeyDialogProps {
  readonly task: KeyTask;
  readonly mayAdminister: boolean;
  readonly onClose: () => void;
  /** Called once the key was changed. */
  readonly onDone: () => void;
}

interface Made {
  readonly secret: string;
  readonly note: string;
}

export function KeyDialog({ task, mayAdminister, onClose, onDone }: KeyDialogProps) {
  const [made, setMade] = useState<Made | null>(null);
  const finish = () => {
    onDone();
    onClose();
  };
  const show = (secret: string, note: string) => {
    onDone();
    setMade({ secret, note });
  };
  if (made) {
    return (
      <SecretOnce title="Your key" label="API key" secret={made.secret} onClose={onClose}>
        {made.note && <p class="small">{made.note}</p>}
      </SecretOnce>
    );
  }
  if (task.kind === "create") {
    return <NewKey mayAdminister={mayAdminister} onClose={onClose} onMade={show} />;
  }
  const props = { apiKey: task.key, onClose, onDone: finish };
  switch (task.kind) {
    case "rename":
      return <Rename {...props} />;
    case "rotate":
      return <Rotate apiKey={task.key} onClose={onClose} onMade={show} />;
    case "usage":
      return <KeyUsage apiKey={task.key} onClose={onClose} />;
    case "switch":
      return <Switch {...props} />;
    case "revoke":
      return <Revoke {...props} />;
  }
}

interface KeyTaskProps {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function Rename({ apiKey, onClose, onDone }: KeyTaskProps) {
  return (
    <Dialog title="Rename the key" onClose={onClose}>
      <Form
        submit="Save"
        also={<Cancel onClose={onClose} />}
        onSubmit={async (values) => {
          const displayName = values.text("display_name");
          const updateMask = { paths: ["display_name"] };
          await keys.updateKey({ keyId: apiKey.keyId, key: { displayName }, updateMask });
          onDone();
        }}
      >
        <Field name="display_name" label="Name" value={apiKey.displayName} maxLength={128} />
      </Form>
    </Dialog>
  );
}

function Switch({ apiKey, onClose, onDone }: KeyTaskProps) {
  const disabled = !apiKey.disabled;
  const verb = disabled ? "Switch off" : "Switch on";
  return (
    <Confirm
      title={`${verb} the key`}
      action={verb}
      onClose={onClose}
      onConfirm={async () => {
        const updateMask = { paths: ["disabled"] };
        await keys.updateKey({ keyId: apiKey.keyId, key: { disabled }, updateMask });
        onDone();
      }}
    >
      <p>
        {disabled
          ? `Calls with “${apiKey.displayName || apiKey.prefix}” are refused within a second, until you switch it on again.`
          : `Calls with “${apiKey.displayName || apiKey.prefix}” work again.`}
      </p>
    </Confirm>
  );
}

function Revoke({ apiKey, onClose, onDone }: KeyTaskProps) {
  return (
    <Confirm
      title="Revoke the key"
      action="Revoke for good"
      onClose={onClose}
      onConfirm={async () => {
        await keys.revokeKey({ keyId: apiKey.keyId });
        onDone();
      }}
    >
      <p>
        Calls with “{apiKey.displayName || apiKey.prefix}” are refused within a second. This cannot
        be taken back.
      </p>
    </Confirm>
  );
}

const OVERLAPS = [
  [86_400, "one day"],
  [604_800, "one week"],
  [2_592_000, "30 days"],
  [0, "no time: it stops at once"],
] as const;

interface RotateProps {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
  readonly onMade: (secret: string, note: string) => void;
}

function Rotate({ apiKey, onClose, onMade }: RotateProps) {
  return (
    <Dialog title="Rotate the key" onClose={onClose}>
      <Form
        submit="Make a new secret"
        also={<Cancel onClose={onClose} />}
        onSubmit={async (values) => {
          const overlapSeconds = values.number("overlap_seconds") ?? 0;
          const rotated = await keys.rotateKey({ keyId: apiKey.keyId, overlapSeconds });
          const until = moment(rotated.oldSecretExpireTime);
          onMade(
            rotated.secret,
            overlapSeconds ? `The old secret works until ${until}.` : "The old secret has stopped.",
          );
        }}
      >
        <p>“{apiKey.displayName || apiKey.prefix}” gets a new secret; all else stays.</p>
        <Choice name="overlap_seconds" label="The old secret works on for" options={OVERLAPS} />
      </Form>
    </Dialog>
  );
}
