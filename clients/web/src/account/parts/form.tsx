// Forms: what was typed stays, what is wrong is said beside it, and the first wrong field is focused.
import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { createContext } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";
import { type Problem, problemOf } from "../../shared/errors.ts";
import { faultsOf } from "./faults.ts";
import { Values } from "./values.ts";

/** What is wrong, by the names of fields. */
type Faults = Readonly<Record<string, string>>;

const FaultsOfForm = createContext<Faults>({});

interface FormProps {
  /** Sends the form. What it throws is shown. */
  readonly onSubmit: (values: Values) => Promise<void>;
  readonly submit: string;
  readonly tone?: "primary" | "danger";
  readonly children?: ComponentChildren;
  /** Beside the button. */
  readonly also?: ComponentChildren;
}

/** A form with its fields, one button, and one place for what went wrong. */
export function Form({ onSubmit, submit, tone = "primary", children, also }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState<Faults>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const wait = useCountdown(problem);

  const show = (found: Faults, failure: Problem | null) => {
    setFaults(found);
    setProblem(failure);
  };
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [faults]);

  const send = async (event: Event) => {
    event.preventDefault();
    const element = form.current;
    if (!element || busy || wait > 0) return;
    const missing = missingIn(element);
    show(missing, null);
    if (Object.keys(missing).length > 0) return;
    setBusy(true);
    try {
      await onSubmit(new Values(new FormData(element)));
    } catch (error) {
      const found = faultsOf(error, (name) => element.elements.namedItem(name) !== null);
      show(found, Object.keys(found).length > 0 ? null : problemOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form class="form" ref={form} onSubmit={send} noValidate>
      <FaultsOfForm.Provider value={faults}>{children}</FaultsOfForm.Provider>
      <div role="alert">
        {problem && (
          <p class="notice bad">
            {problem.sentence} {wait > 0 && `You can try again in ${wait} s.`}
          </p>
        )}
      </div>
      <div class="buttons">
        <button class={`button ${tone}`} type="submit" aria-disabled={busy || wait > 0}>
          {busy ? "One moment…" : submit}
        </button>
        {also}
      </div>
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly type?: "text" | "email" | "password" | "number" | "date" | "search";
  readonly value?: string | number | undefined;
  readonly required?: boolean;
  readonly autocomplete?: string;
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly list?: string;
  readonly min?: string | number;
}

/** An input with its label, a hint, and what is wrong with it. Named as in the proto. */
export function Field({ name, label, hint, value, autocomplete = "off", ...rest }: FieldProps) {
  const id = useId();
  const fault = useContext(FaultsOfForm)[name];
  const described = [hint && `${id}-hint`, fault && `${id}-error`].filter(Boolean).join(" ");
  // The types allow each kind of input attributes of its own; this one is of any kind.
  const attributes = {
    ...rest,
    id,
    name,
    autocomplete,
    defaultValue: value === undefined ? "" : String(value),
    spellcheck: false,
    autocapitalize: "none",
    "aria-invalid": fault ? "true" : undefined,
    "aria-describedby": described || undefined,
  } as InputHTMLAttributes<HTMLInputElement>;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input {...attributes} />
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {fault && (
        <span class="error" id={`${id}-error`}>
          {fault}
        </span>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (readonly [value: string | number, label: string])[];
  readonly value?: string | number;
  readonly onChange?: (value: string) => void;
}

/** A drop-down list with its label. */
export function Choice({ name, label, options, value, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name} onChange={(event) => onChange?.(event.currentTarget.value)}>
        {options.map(([each, text]) => (
          <option key={each} value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface CheckProps {
  readonly name: string;
  readonly label: string;
  readonly value?: string | number;
  readonly checked?: boolean;
}

/** A box to tick. */
export function Check({ name, label, value = "on", checked = false }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" name={name} value={value} defaultChecked={checked} />
      {label}
    </label>
  );
}

/** Returns what the browser finds wrong with the fields, in its own words. */
function missingIn(form: HTMLFormElement): Faults {
  const wrong = Array.from(form.elements).filter(
    (each): each is HTMLInputElement => each instanceof HTMLInputElement && !each.validity.valid,
  );
  return Object.fromEntries(wrong.map((each) => [each.name, each.validationMessage]));
}

/** Returns the whole seconds until the server wants to hear from us again. */
function useCountdown(problem: Problem | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const until = Date.now() + (problem?.retrySeconds ?? 0) * 1000;
    const tick = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    tick();
    if (!problem?.retrySeconds) return;
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [problem]);
  return left;
}
