// Making a key.
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { useState } from "preact/hooks";
import { Scope } from "../gen/ocr_grpc/v1/access_pb.ts";
import { keys } from "./parts/clients.ts";
import { Cancel, Dialog } from "./parts/dialog.tsx";
import { Check, Choice, Field, Form } from "./parts/form.tsx";
import { LimitFields } from "./parts/limit-fields.tsx";
import type { Values } from "./parts/values.ts";
import { SCOPES } from "./parts/words.ts";

const DAY_MS = 86_400_000;
const ON_A_DAY = "day";

const LIFETIMES = [
  ["90", "In 90 days"],
  ["30", "In 30 days"],
  ["365", "In one year"],
  ["", "Never"],
  [ON_A_DAY, "At the end of a day"],
] as const;

interface NewKeyProps {
  readonly mayAdminister: boolean;
  readonly onClose: () => void;
  readonly onMade: (secret: string, note: string) => void;
}

export function NewKey({ mayAdminister, onClose, onMade }: NewKeyProps) {
  const [lifetime, setLifetime] = useState<string>(LIFETIMES[0][0]);
  return (
    <Dialog title="New key" onClose={onClose}>
      <Form
        submit="Make the key"
        also={<Cancel onClose={onClose} />}
        onSubmit={async (values) => {
          const expireTime = expiryOf(values);
          const made = await keys.createKey({
            key: {
              displayName: values.text("display_name"),
              scopes: values.numbers("scopes"),
              limits: values.limits(),
              ...(expireTime && { expireTime }),
            },
          });
          onMade(made.secret, "");
        }}
      >
        <Field
          name="display_name"
          label="Name"
          hint="What the key is for, such as the program that uses it."
          maxLength={128}
          required
        />
        <fieldset class="checks">
          <legend>What it may be used for</legend>
          {SCOPES.filter(({ scope }) => mayAdminister || scope !== Scope.ADMIN).map((each) => (
            <Check
              key={each.scope}
              name="scopes"
              label={each.label}
              value={each.scope}
              checked={each.scope === Scope.OCR}
            />
          ))}
        </fieldset>
        <Choice
          name="lifetime"
          label="It expires"
          options={LIFETIMES}
          value={lifetime}
          onChange={setLifetime}
        />
        {lifetime === ON_A_DAY && (
          <Field name="expire_time" type="date" label="Last day" min={today()} required />
        )}
        <details>
          <summary>Limits of its own</summary>
          <p class="small quiet">They count where they are lower than yours. Empty: as yours.</p>
          <LimitFields />
        </details>
      </Form>
    </Dialog>
  );
}

function expiryOf(values: Values): Timestamp | undefined {
  const lifetime = values.text("lifetime");
  if (lifetime === ON_A_DAY) return values.day("expire_time", 1);
  return lifetime ? timestampFromMs(Date.now() + Number(lifetime) * DAY_MS) : undefined;
}

function today(): string {
  return new Date().toLocaleDateString("sv"); // Sweden writes days as inputs want them
}
