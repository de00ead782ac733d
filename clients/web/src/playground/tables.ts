// Tables in HTML, as models write them into Markdown. Only their tags are understood, their
// attributes are dropped except for spans, and all else stays text: what comes out are rows of
// strings, from which nothing can ever become live HTML.

export interface Cell {
  text: string;
  readonly header: boolean;
  readonly colSpan: number;
  readonly rowSpan: number;
}

export type Row = Cell[];

/** A piece of text, or the rows of a table. */
export type Piece = string | readonly Row[];

const TAG = /<(\/?)(table|thead|tbody|tfoot|tr|td|th|br)(\s[^<>]{0,200})?\/?>/gi;
/** What may become one of these tags with the next delta. */
const BEGUN_TAG = /<(?:\/?[a-z]{0,5}|t[dh]\s[^<>]{0,200})$/i;
const ENTITY = /&(amp|lt|gt|quot|nbsp|#39);/g;
const CHARACTERS: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  nbsp: "\u00a0",
  "#39": "'",
};
/** Browsers would draw thousands of columns for one number. */
const MAX_SPAN = 100;

/** Splits Markdown into its text and the tables in it; one at the end may still be growing. */
export function piecesOf(markdown: string): Piece[] {
  const pieces: Piece[] = [];
  let table: OpenTable | null = null;
  let at = 0;
  for (const tag of markdown.matchAll(TAG)) {
    const [whole, slash, name = "", attributes = ""] = tag;
    const kind = name.toLowerCase();
    const between = markdown.slice(at, tag.index);
    if (!table) {
      if (kind !== "table" || slash) continue; // text, with whatever follows it
      if (between) pieces.push(between);
      table = new OpenTable();
    } else {
      table.add(between);
      if (kind === "table" && slash) {
        pieces.push(table.rows);
        table = null;
      } else table.tag(kind, slash === "/", attributes, whole);
    }
    at = tag.index + whole.length;
  }
  const rest = markdown.slice(at);
  if (table) {
    table.add(rest.replace(BEGUN_TAG, ""));
    pieces.push(table.rows);
  } else if (rest) pieces.push(rest);
  return pieces;
}

class OpenTable {
  readonly rows: Row[] = [];
  private row: Row | null = null;
  private cell: Cell | null = null;

  /** Takes text in; what stands outside of cells gets one, so that no text is lost. */
  add(text: string): void {
    if (!this.cell && !text.trim()) return;
    this.cell ??= this.newCell(false, "");
    this.cell.text += text.replaceAll(ENTITY, (whole, name: string) => CHARACTERS[name] ?? whole);
  }

  tag(kind: string, closes: boolean, attributes: string, whole: string): void {
    if (kind === "td" || kind === "th") {
      this.cell = closes ? null : this.newCell(kind === "th", attributes);
    } else if (kind === "br") {
      if (this.cell) this.cell.text += "\n";
    } else if (kind === "table") {
      this.add(whole); // one inside another: its tag is text
    } else {
      this.cell = this.row = null;
    }
  }

  private newCell(header: boolean, attributes: string): Cell {
    if (!this.row) {
      this.row = [];
      this.rows.push(this.row);
    }
    const cell = {
      text: "",
      header,
      colSpan: spanOf("colspan", attributes),
      rowSpan: spanOf("rowspan", attributes),
    };
    this.row.push(cell);
    return cell;
  }
}

function spanOf(name: string, attributes: string): number {
  const [, digits] = new RegExp(`\\s${name}\\s*=\\s*["']?(\\d{1,4})`, "i").exec(attributes) ?? [];
  return Math.min(Math.max(Number(digits ?? 1), 1), MAX_SPAN);
}
