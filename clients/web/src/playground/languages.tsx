// The languages to expect: typed, or chosen from those that are read.
import { useId, useState } from "preact/hooks";
import { languageName } from "./words.ts";

interface Props {
  readonly known: readonly string[];
  readonly chosen: readonly string[];
  readonly set: (languages: string[]) => void;
}

export function Languages({ known, chosen, set }: Props) {
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
