// How the document is to be read.
import type { EngineInfo } from "../gen/ocr_grpc/v1/engine_pb.ts";
import type { GetCapabilitiesResponse } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { Mode, Quality, TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";
import { Check, Choice, Field } from "./field.tsx";
import { Languages } from "./languages.tsx";
import { fitting, offerOf } from "./offer.ts";
import type { Wishes } from "./wishes.ts";

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
function formats(ofImages: boolean): [TextFormat, string][] {
  return [
    [TextFormat.UNSPECIFIED, "As fits the document"],
    [TextFormat.PLAIN, "Plain text"],
    [TextFormat.MARKDOWN, `Markdown (Office, EPUB, HTML${ofImages ? ", images" : ""})`],
  ];
}

export function Options({ abilities, wishes, change }: Props) {
  const offer = offerOf(abilities, wishes);
  const drafts = wishes.quality === Quality.DRAFT_THEN_FINAL;
  const set = (part: Partial<Wishes>) => change(fitting(abilities, { ...wishes, ...part }));
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
              all={formats(offer.markdownOfImages)}
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
          known={offer.languages}
          chosen={wishes.languages}
          set={(languages) => set({ languages })}
        />
        {offer.engines.length > 1 && (
          <Field label="Engine">
            {(id) => (
              <select
                id={id}
                disabled={drafts} // a draft comes before the text of the model, and of no other
                value={(drafts && offer.final?.name) || wishes.engine}
                onChange={({ currentTarget }) => set({ engine: currentTarget.value })}
              >
                {offer.engines.map((engine, index) => (
                  <option key={engine.name} value={index || drafts ? engine.name : ""}>
                    {engineTitle(engine, index === 0)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {offer.prompt && (
          <Field label="Prompt" hint="What the model is asked; empty for the engine's own">
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
        {offer.final && (
          <Check
            label={`Draft, then final: lines at once, then the text of ${offer.final.model || offer.final.name}`}
            checked={drafts}
            set={(on) => set({ quality: on ? Quality.DRAFT_THEN_FINAL : Quality.UNSPECIFIED })}
          />
        )}
        {offer.words && (
          <Check
            label="Words: each line with the places of its words"
            checked={wishes.words}
            set={(words) => set({ words })}
          />
        )}
        <Check
          label="Leave pictures inside Office documents unread"
          checked={wishes.skipPictures}
          set={(skipPictures) => set({ skipPictures })}
        />
        <Check
          label="Read it anew, even if the same was read before"
          checked={wishes.skipCache}
          set={(skipCache) => set({ skipCache })}
        />
      </div>
    </details>
  );
}

function engineTitle({ name, model, readyWorkers }: EngineInfo, isDefault: boolean): string {
  const notes = [isDefault && "default", readyWorkers === 0 && "not ready"].filter(Boolean);
  const title = model && model !== name ? `${name}: ${model}` : name;
  return notes.length > 0 ? `${title} (${notes.join(", ")})` : title;
}
