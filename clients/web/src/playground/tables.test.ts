import { expect, test } from "vitest";
import { type Piece, piecesOf } from "./tables.ts";

/** The text of the cells, row by row; text outside of tables as it is. */
function words(pieces: Piece[]): (string | string[][])[] {
  return pieces.map((piece) =>
    typeof piece === "string" ? piece : piece.map((row) => row.map((cell) => cell.text)),
  );
}

test("a table in HTML becomes rows of cells, and the text around it stays as it is", () => {
  const markdown = "# Bill\n\n<table><tr><th>Item</th></tr><tr><td>Oak</td></tr></table>\n\nThanks";
  expect(words(piecesOf(markdown))).toEqual(["# Bill\n\n", [["Item"], ["Oak"]], "\n\nThanks"]);
});

test("text without a table is one piece, whatever tags are in it", () => {
  const markdown = "a <td>b</td> <b>c</b> <script>d</script> </table>";
  expect(piecesOf(markdown)).toEqual([markdown]);
});

test("other HTML in a cell stays text", () => {
  const hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script><a href="javascript:3">';
  expect(words(piecesOf(`<table><tr><td>${hostile}</td></tr></table>`))).toEqual([[[hostile]]]);
});

test("spans are taken over within bounds, other attributes are dropped", () => {
  const [table] = piecesOf(
    `<table border=1 onclick="x()"><tr><td colspan="2" style='color: red'>a</td><th rowspan=9999>b</th></tr></table>`,
  );
  expect(table).toEqual([
    [
      { text: "a", header: false, colSpan: 2, rowSpan: 1 },
      { text: "b", header: true, colSpan: 1, rowSpan: 100 },
    ],
  ]);
});

test("a table that is still coming is a table already, without the tag that has begun", () => {
  for (const tail of ["<", "</t", "<td", '<td style="text-al']) {
    const markdown = `<table><tr><td>one</td><td>two${tail}`;
    expect(words(piecesOf(markdown))).toEqual([[["one", "two"]]]);
  }
});

test("no text of a table is lost, wherever it stands", () => {
  const markdown = "<table><caption>Title</caption><tr>loose<td>a<table><td>b</table>c";
  expect(words(piecesOf(markdown))).toEqual([
    [["<caption>Title</caption>"], ["loose", "a<table>", "b"]],
    "c",
  ]);
});

test("characters written as entities are characters, once", () => {
  expect(words(piecesOf("<table><td>A&amp;B &amp;lt;b&gt; &copy;<br/>c"))).toEqual([
    [["A&B &lt;b> &copy;\nc"]],
  ]);
});
