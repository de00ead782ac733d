// Tables that become cards on a phone, and the buttons to go through their pages.
import type { ComponentChildren, Key } from "preact";
import type { Loaded, Pages } from "./load.ts";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly number?: boolean;
  /** Takes the whole width of a card on a phone. */
  readonly wide?: boolean;
}

/** Stands in a cell that is empty; cards leave such cells out. */
export const NOTHING = "–";

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => Key;
  /** Says that there is nothing. */
  readonly empty: string;
}

/** A table; its caption is for screen readers, since a heading stands above it. */
export function Table<Row>({ caption, columns, rows, keyOf, empty }: TableProps<Row>) {
  if (rows.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <table class="stacking">
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ title, number }) => (
            <th key={title} scope="col" class={number ? "number" : ""}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column) => (
              <Cell key={column.title} column={column} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface CellProps<Row> {
  readonly column: Column<Row>;
  readonly row: Row;
}

function Cell<Row>({ column: { title, cell, number, wide }, row }: CellProps<Row>) {
  const content = cell(row);
  const kinds = [number && "number", wide && "wide", content === NOTHING && "nothing"];
  return (
    <td data-label={title} class={kinds.filter(Boolean).join(" ")}>
      {content}
    </td>
  );
}

/** What is loading, or what went wrong; nothing once all is there. */
export function LoadState({ loaded }: { readonly loaded: Loaded<unknown> }) {
  if (loaded.problem) {
    return (
      <div class="notice bad" role="alert">
        <p>{loaded.problem.sentence}</p>
        <button class="button slim" type="button" onClick={loaded.reload}>
          Try again
        </button>
      </div>
    );
  }
  return loaded.value === null ? (
    <p class="quiet" role="status">
      Loading…
    </p>
  ) : null;
}

/** Buttons to the newer and the older page; nothing if there is one page. */
export function Pager({ pages, of }: { readonly pages: Pages<unknown>; readonly of: string }) {
  if (!pages.newer && !pages.older) return null;
  return (
    <nav class="buttons pager" aria-label={`Pages of ${of}`}>
      <PageButton go={pages.newer} label="← Newer" />
      <PageButton go={pages.older} label="Older →" />
    </nav>
  );
}

function PageButton({ go, label }: { go: (() => void) | undefined; label: string }) {
  return (
    <button class="button slim" type="button" aria-disabled={!go} onClick={() => go?.()}>
      {label}
    </button>
  );
}
