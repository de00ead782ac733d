// Writes the text of pages as it comes, one page after the other: pages are read several at a time.
import { Assembler } from "../core/assembler.js";
import type { ExtractEvent } from "../core/sending.js";

/** Writes what is new of the first page that has not ended; of others when it is their turn. */
export class TextInOrder {
  readonly #pages = new Assembler();
  readonly #waiting: number[] = [];
  readonly #seen = new Set<number>();
  #written = "";
  #first = true;

  constructor(private readonly write: (piece: string) => void) {}

  add(event: ExtractEvent): void {
    this.#pages.add(event);
    const { event: what } = event;
    if (what.case === "started" || what.case === "finished" || what.case === undefined) return;
    if ("pageNumber" in what.value) this.#note(what.value.pageNumber);
    this.#writeOn();
  }

  /** Ends the last line. */
  end(): void {
    if (!this.#first || this.#written !== "") this.write("\n");
  }

  #note(number: number): void {
    if (this.#seen.has(number)) return;
    this.#seen.add(number);
    this.#waiting.push(number);
    this.#waiting.sort((one, other) => one - other);
  }

  #writeOn(): void {
    for (let number = this.#waiting[0]; number !== undefined; number = this.#waiting[0]) {
      const page = this.#pages.page(number);
      this.#bring(page?.text ?? "");
      if (!page?.finished) return;
      this.#waiting.shift();
      this.#first = false;
      this.#written = "";
    }
  }

  /** Brings a page up to date. What stands on a terminal cannot be taken back: it is written again. */
  #bring(text: string): void {
    if (text === this.#written || this.#written.startsWith(text)) return;
    if (this.#written === "" && !this.#first) this.write("\n\n");
    const known = text.startsWith(this.#written);
    this.write(known ? text.slice(this.#written.length) : `\n${text}`);
    this.#written = text;
  }
}
