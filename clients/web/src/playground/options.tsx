// How the document is to be read.
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import type { GetCapabilitiesResponse } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { Mode, TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import type { Wishes } from "./wishes.ts";
import { languageName } from "./words.ts";

interface Props {
  readonly abilities: GetCapabilitiesResponse | null;
  readonly wishes: Wishes;
  readonly change: (wishes: Wishes) => void;
}

const MODES: [Mode, string][] = [
  [Mode.AUTO, "Automatic: its own text where usable, else the image"],
  [Mode.FORCE_OCR, "Always read the image"],
  [Mode.TEXT_LAYER_ONLY, "Only its own text"],
];
const FORMATS: [TextFormat, string][] = [
  [TextFormat.UNSPECIFIED, "As fits the document"],
  [TextFormat.PLAIN, "Plain text"],
  [TextFormat.MARKDOWN, "Markdown (Office, EPUB, HTML)"],
];

export function Options({ abilities, wishes, change }: Props) {
  const engines = abilities?.engines ?? [];
  const engine = engines.find(({ name }) => name === wishes.engine) ?? engines[0];
  const set = (part: Partial<Wishes>) => change({ ...wishes, ...part });
  return (
    <details class="options">
      <summary>Options</summary>
      <div class="options-grid">
        <Field label="Where the text comes from">
          {(id) => <Choice id={id} all={MODES} value={wishes.mode} set={(mode) => set({ mode })} />}
        </Field>
        <Field label="Form of the text">
          {(id) => (
            <Choice
              id={id}
              all={FORMATS}
              value={wishes.textFormat}
              set={(textFormat) => set({ textFormat })}
            />
          )}
        </Field>
        <Field label="Pages" hint="Such as 1,3-5,9-; empty for all">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              value={wishes.pages}
              autocomplete="off"
              onInput={({ currentTarget }) => set({ pages: currentTarget.value.trim() })}
            />
          )}
        </Field>
        <Field label="Password" hint="Of an encrypted PDF">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              type="password"
              autocomplete="off"
              maxLength={128}
              value={wishes.password}
              onInput={({ currentTarget }) => set({ password: currentTarget.value })}
            />
          )}
        </Field>
        <Field label="Resolution" hint="Dots per inch for PDF pages; empty lets the service choose">
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              type="number"
              inputMode="numeric"
              min={abilities?.limits?.minDpi ?? 50}
              max={abilities?.limits?.maxDpi ?? 600}
              value={wishes.dpi || ""}
              onInput={({ currentTarget }) => set({ dpi: currentTarget.valueAsNumber || 0 })}
            />
          )}
        </Field>
        <Languages
          known={engine?.languages ?? []}
          chosen={wishes.languages}
          set={(languages) => set({ languages })}
        />
        {engines.length > 1 && (
          <Field label="Engine">
            {(id) => (
              <select
                id={id}
                value={wishes.engine}
                onChange={({ currentTarget }) => set({ engine: currentTarget.value })}
              >
                {engines.map(({ name, model }, index) => (
                  <option key={name} value={index ? name : ""}>
                    {model || name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {engine?.takesPrompt && (
          <Field label="Prompt" hint="Empty for the engine's own">
            {(id, hint) => (
              <textarea
                id={id}
                aria-describedby={hint}
                maxLength={4000}
                value={wishes.prompt}
                onInput={({ currentTarget }) => set({ prompt: currentTarget.value })}
              />
            )}
          </Field>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={wishes.skipPictures}
            onChange={({ currentTarget }) => set({ skipPictures: currentTarget.checked })}
          />
          Leave pictures inside Office documents unread
        </label>
      </div>
    </details>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly children: (id: string, hintId: string | undefined) => ComponentChildren;
}

function Field({ label, hint, children }: FieldProps) {
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

function Choice<Value extends number>({ id, all, value, set }: ChoiceProps<Value>) {
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

interface LanguagesProps {
  readonly known: readonly string[];
  readonly chosen: readonly string[];
  readonly set: (languages: string[]) => void;
}

function Languages({ known, chosen, set }: LanguagesProps) {
  const [typed, setTyped] = useState("");
  const id = useId();
  const named = known.map((code) => ({ code, name: languageName(code) }));
  const add = (text: string) => {
    const wanted = text.trim().toLowerCase();
    const found = named.find(
      ({ code, name }) => code.toLowerCase() === wanted || name.toLowerCase() === wanted,
    );
    setTyped(found ? "" : text);
    if (found && !chosen.includes(found.code)) set([...chosen, found.code]);
  };
  return (
    <div class="field">
      <label for={id}>Languages</label>
      <input
        id={id}
        list={`${id}-known`}
        aria-describedby={`${id}-hint`}
        autocomplete="off"
        value={typed}
        // Taken when it is chosen from the list or complete, not while "es" may become "Estonian".
        onInput={(event) => {
          const typing = (event as InputEvent).inputType?.startsWith("insertText") ?? false;
          if (typing) setTyped(event.currentTarget.value);
          else add(event.currentTarget.value);
        }}
        onChange={({ currentTarget }) => add(currentTarget.value)}
      />
      <datalist id={`${id}-known`}>
        {named.map(({ code, name }) => (
          <option key={code} value={name} />
        ))}
      </datalist>
      {chosen.length > 0 && (
        <ul class="chips">
          {chosen.map((code) => (
            <li key={code}>
              <button
                type="button"
                class="chip"
                aria-label={`Remove ${languageName(code)}`}
                onClick={() => set(chosen.filter((other) => other !== code))}
              >
                {languageName(code)} <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <span class="hint" id={`${id}-hint`}>
        {typed && known.length > 0 ? "Choose one of the list" : "A hint; empty for any"}
      </span>
    </div>
  );
}
