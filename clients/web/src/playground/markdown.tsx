// Markdown as it is written, and the tables that models write in HTML as tables.
import { piecesOf, type Row } from "./tables.ts";

export function Markdown({ text }: { readonly text: string }) {
  return piecesOf(text).map((piece, index) =>
    typeof piece === "string" ? piece : <Table key={index} rows={piece} />,
  );
}

function Table({ rows }: { readonly rows: readonly Row[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled by keyboard
    <section class="table-wrap read-table" aria-label="Table" tabIndex={0}>
      <table>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map(({ text, header, colSpan, rowSpan }, column) => {
                const Cell = header ? "th" : "td";
                return (
                  <Cell key={column} colSpan={colSpan} rowSpan={rowSpan}>
                    {text}
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
