// What the reader of a document wishes for, as the form holds it.
import { Mode, Quality, TextFormat } from "../gen/ocr_grpc/v1/options_pb.ts";

export interface Wishes {
  readonly mode: Mode;
  readonly pages: string;
  readonly languages: readonly string[];
  readonly textFormat: TextFormat;
  readonly password: string;
  /** 0: as the service chooses. */
  readonly dpi: number;
  readonly skipPictures: boolean;
  /** Empty: the default engine. */
  readonly engine: string;
  readonly prompt: string;
  readonly quality: Quality;
  /** Whether lines come with their words. */
  readonly words: boolean;
  /** Whether to read even what was read before. */
  readonly skipCache: boolean;
}

export const NO_WISHES: Wishes = {
  mode: Mode.AUTO,
  pages: "",
  languages: [],
  textFormat: TextFormat.UNSPECIFIED,
  password: "",
  dpi: 0,
  skipPictures: false,
  engine: "",
  prompt: "",
  quality: Quality.UNSPECIFIED,
  words: false,
  skipCache: false,
};

/** The longer side of the pictures of pages: sharp on a screen, and some 100 KB each. */
const PICTURE_SIDE_PX = 1400;

/** Returns the options of the call. */
export function optionsOf(wishes: Wishes) {
  return { ...wishes, languages: [...wishes.languages], pageImageSidePx: PICTURE_SIDE_PX };
}

/** Returns the options as the names and values of a query or a form; those left alone are missing. */
export function fieldsOf(wishes: Wishes): [string, string][] {
  const fields: [string, string][] = [
    ["mode", `MODE_${Mode[wishes.mode]}`],
    ["pages", wishes.pages],
    ...wishes.languages.map((language): [string, string] => ["languages", language]),
    ["text_format", wishes.textFormat ? `TEXT_FORMAT_${TextFormat[wishes.textFormat]}` : ""],
    ["password", wishes.password],
    ["dpi", wishes.dpi ? String(wishes.dpi) : ""],
    ["skip_pictures", wishes.skipPictures ? "true" : ""],
    ["engine", wishes.engine],
    ["prompt", wishes.prompt],
    ["quality", wishes.quality ? `QUALITY_${Quality[wishes.quality]}` : ""],
    ["words", wishes.words ? "true" : ""],
    ["skip_cache", wishes.skipCache ? "true" : ""],
    ["page_image_side_px", String(PICTURE_SIDE_PX)],
  ];
  return fields.filter(([, value]) => value !== "");
}
