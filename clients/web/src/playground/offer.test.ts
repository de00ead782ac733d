import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { EngineInfoSchema } from "../gen/ocr_grpc/v1/engine_pb.ts";
import { GetCapabilitiesResponseSchema } from "../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { Quality } from "../gen/ocr_grpc/v1/options_pb.ts";
import { fitting, offerOf } from "./offer.ts";
import { NO_WISHES } from "./wishes.ts";

const LINES = { name: "ppocr", languages: ["de", "en"], givesWords: true };
const OTHER = { name: "tesseract", languages: ["ar", "en"], givesWords: true };
const MODEL = { name: "vlm", takesPrompt: true, givesBlocks: true, writesMarkdown: true };

function server(...engines: MessageInitShape<typeof EngineInfoSchema>[]) {
  const drafts = engines.includes(MODEL) ? [Quality.DRAFT_THEN_FINAL] : [];
  return create(GetCapabilitiesResponseSchema, {
    engines,
    qualities: [Quality.FINAL, ...drafts],
  });
}

test("the default engine decides what can be wished for", () => {
  const lines = offerOf(server(LINES, MODEL), NO_WISHES);
  expect([lines.prompt, lines.words, lines.markdownOfImages]).toEqual([false, true, false]);
  const model = offerOf(server(MODEL, LINES), NO_WISHES);
  expect([model.prompt, model.words, model.markdownOfImages]).toEqual([true, false, true]);
});

test("a draft is offered where the server has it, and not with an engine that cannot follow one", () => {
  expect(offerOf(server(LINES), NO_WISHES).final).toBe(null);
  const both = server(LINES, MODEL);
  expect(offerOf(both, NO_WISHES).final?.name).toBe("vlm");
  expect(offerOf(both, { ...NO_WISHES, engine: "vlm" }).final?.name).toBe("vlm");
  expect(offerOf(both, { ...NO_WISHES, engine: "ppocr" }).final).toBe(null);
});

test("with a draft, what the final engine can do counts", () => {
  const wishes = { ...NO_WISHES, quality: Quality.DRAFT_THEN_FINAL };
  const offer = offerOf(server(LINES, MODEL), wishes);
  expect([offer.prompt, offer.words]).toEqual([true, false]);
});

test("languages of all engines are offered, unless one of them is chosen that names its own", () => {
  const all = server(LINES, OTHER, MODEL);
  expect(offerOf(all, NO_WISHES).languages).toEqual(["ar", "de", "en"]);
  expect(offerOf(all, { ...NO_WISHES, engine: "ppocr" }).languages).toEqual(["de", "en"]);
  expect(offerOf(all, { ...NO_WISHES, engine: "vlm" }).languages).toEqual(["ar", "de", "en"]);
});

test("wishes that the chosen engine refuses are dropped", () => {
  const wishes = {
    ...NO_WISHES,
    engine: "ppocr",
    quality: Quality.DRAFT_THEN_FINAL,
    prompt: "Read the table.",
    languages: ["ar", "en"],
    words: true,
  };
  expect(fitting(server(LINES, OTHER, MODEL), wishes)).toEqual({
    ...wishes,
    quality: Quality.UNSPECIFIED,
    prompt: "",
    languages: ["en"],
  });
});
