// What can be wished for, which depends on the engines of the server and on the one chosen.
import type { EngineInfo } from "../gen/ocr_grpc/v1/engine_pb.ts";
import type { GetCapabilitiesResponse } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { Quality } from "../gen/ocr_grpc/v1/options_pb.ts";
import type { Wishes } from "./wishes.ts";

export interface Offer {
  readonly engines: readonly EngineInfo[];
  /** BCP 47 codes. */
  readonly languages: readonly string[];
  readonly prompt: boolean;
  readonly words: boolean;
  /** The engine that follows a draft; null where there is none, or not with the one chosen. */
  readonly final: EngineInfo | null;
  readonly markdownOfImages: boolean;
}

/** Returns what the engine that these wishes choose can do. */
export function offerOf(abilities: GetCapabilitiesResponse | null, wishes: Wishes): Offer {
  const engines = abilities?.engines ?? [];
  const named = engines.find(({ name }) => name === wishes.engine);
  const drafts = abilities?.qualities.includes(Quality.DRAFT_THEN_FINAL) ?? false;
  const final = (drafts && (named ? [named] : engines).find(isModel)) || null;
  const drafted = wishes.quality === Quality.DRAFT_THEN_FINAL ? final : null;
  const engine = named ?? drafted ?? engines[0];
  return {
    engines,
    languages: named?.languages.length ? named.languages : languagesOf(engines),
    prompt: engine?.takesPrompt ?? false,
    words: engine?.givesWords ?? false,
    final,
    markdownOfImages: engine?.writesMarkdown ?? false,
  };
}

/** Returns the wishes without those that nobody can see any more, and that would be refused. */
export function fitting(abilities: GetCapabilitiesResponse | null, wishes: Wishes): Wishes {
  const kept = offerOf(abilities, wishes).final
    ? wishes
    : { ...wishes, quality: Quality.UNSPECIFIED };
  const { languages, prompt, words } = offerOf(abilities, kept);
  return {
    ...kept,
    languages: kept.languages.filter((code) => languages.includes(code)),
    prompt: prompt ? kept.prompt : "",
    words: words && kept.words,
  };
}

/** Whether an engine is a language model, as far as what it can do tells. */
function isModel({ takesPrompt, givesBlocks, writesMarkdown }: EngineInfo): boolean {
  return takesPrompt || givesBlocks || writesMarkdown;
}

/** Without a name, languages choose the engine; and a model that names none may be asked for any. */
function languagesOf(engines: readonly EngineInfo[]): string[] {
  return [...new Set(engines.flatMap(({ languages }) => languages))].sort();
}
