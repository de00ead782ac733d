// What one fills in, with its label and a hint.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly children: (id: string, hintId: string | undefined) => ComponentChildren;
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = hint ? `${id}-hint` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, hintId)}
      {hint && (
        <span class="hint" id={hintId}>
          {hint}
        </span>
      )}
    </div>
  );
}

interface ChoiceProps<Value> {
  readonly id: string;
  readonly all: readonly [Value, string][];
  readonly value: Value;
  readonly set: (value: Value) => void;
}

export function Choice<Value extends number>({ id, all, value, set }: ChoiceProps<Value>) {
  return (
    <select
      id={id}
      value={value}
      onChange={({ currentTarget }) => set(Number(currentTarget.value) as Value)}
    >
      {all.map(([number, text]) => (
        <option key={number} value={number}>
          {text}
        </option>
      ))}
    </select>
  );
}

interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly set: (checked: boolean) => void;
}

export function Check({ label, checked, set }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ currentTarget }) => set(currentTarget.checked)}
      />
      {label}
    </label>
  );
}
