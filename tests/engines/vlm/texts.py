"""Honest texts that repeat themselves, and texts of models that do not come to an end."""

import random

WORDS = [
    "account", "balance", "committee", "delivery", "engine", "figure", "garden", "harbour",
    "invoice", "journal", "kitchen", "ledger", "minutes", "number", "office", "paper", "quarter",
    "report", "station", "timber", "union", "vessel", "warehouse", "yield",
]  # fmt: skip
SENTENCE = (
    "The seller retains title to the goods until the buyer has paid every sum that is due, and may "
    "enter the premises of the buyer in order to take them back. "
)
HEAD = "# Report\n\nWhat was agreed upon in the last meeting, and by whom.\n\n"


def words(count: int, seed: int) -> str:
    chosen = random.Random(seed)
    return " ".join(chosen.choice(WORDS) for _ in range(count))


def html_table(rows: int, columns: int, cell: str) -> str:
    row = "<tr>" + f"<td>{cell}</td>" * columns + "</tr>\n"
    return "<table>\n" + row * rows + "</table>\n"


def _form_line(row: int) -> str:
    return f"{words(2, row).title()}: " + "_" * 60 + "\n"


HONEST = {
    "a table of equal cells": html_table(30, 20, "0"),
    "a table of words like n/a": html_table(40, 8, "n/a"),
    "an empty grid": html_table(40, 12, ""),
    "an empty grid in Markdown": ("|" + "   |" * 20 + "\n") * 45,
    "a table of figures": "\n".join(
        "| "
        + " | ".join(
            f"{random.Random(row * 20 + column).uniform(10, 99):.2f}" for column in range(10)
        )
        + " |"
        for row in range(120)
    ),
    "a table of years with a unit": "".join(
        f"| {1900 + row} | 12.50 EUR |\n" for row in range(110)
    ),
    "a table of contents": "".join(
        f"{row}. {words(3, row).title()} " + "." * (90 - row % 30) + f" {row * 3}\n"
        for row in range(1, 60)
    ),
    "a form": "".join(map(_form_line, range(40))),
    "a ruled sheet": ("_" * 80 + "\n\n") * 40,
    "an answer sheet": "".join(f"{row}. ( ) A ( ) B ( ) C ( ) D\n" for row in range(1, 151)),
    "a price list": "".join(f"{words(2, row)}  EUR 19.99\n" for row in range(150)),
    "rooms that are all vacant": "".join(f"Room {row}: vacant\n" for row in range(101, 220)),
    "a poem with a refrain": "".join(
        words(24, verse) + "\nWith a hey, and a ho, and a hey nonino,\nIn the spring time\n\n"
        for verse in range(12)
    ),
    "a round": "Row, row, row your boat, gently down the stream.\n" * 8,
    "a clause that stands there three times": (SENTENCE * 6 + "\n\n") * 3,
    "a sheet of labels": "Anna Example\n12 Station Road\nEX4 4MP Exampleton\n\n" * 24,
    "code": "".join(
        f"def test_{name}():\n    assert read(page) == text\n    assert not problems\n\n\n"
        for name in WORDS * 3
    ),
    "a rule": "-" * 250 + "\n",
    "a log": "".join(f"2026-11-22 07:{row:02}:01 INFO connection opened\n" for row in range(60)),
}

LOOPS = {
    "dots": "." * 12_000,
    "spaces": " " * 12_000,
    "line breaks": "\n" * 12_000,
    "one letter": "a" * 12_000,
    "one word": "the " * 3_000,
    "empty cells": "<table><tr>" + "<td></td>" * 1_500,
    "empty cells in Markdown": "|" + "   |" * 3_000,
    "rows of empty cells": "<table>" + ("<tr>" + "<td></td>" * 8 + "</tr>") * 160,
    "cells that are all alike": "<table><tr>" + "<td>0</td>" * 1_500,
    "short lines": "Yes, I agree.\n" * 900,
    "two lines in turn": "Yes, I agree with that.\nNo, I do not.\n" * 350,
    "one line": SENTENCE[:70] + "\n" + (SENTENCE[:70] + "\n") * 170,
    "a paragraph": (SENTENCE * 3 + "\n\n") * 28,
    "a page's head": "ACME Limited\n12 Main Street\nExampleton\n\nInvoice\n\nDear Sirs,\n\n" * 200,
    "half a page": (words(250, 1) + "\n\n") * 8,
    "lines that count": "".join(f"Item {number}\n" for number in range(1_500)),
    "paragraphs that count": "".join(f"{number}. {SENTENCE}\n\n" for number in range(80)),
    "figures that count": "".join(
        f"Figure {number}: results of the experiment.\n\n" for number in range(250)
    ),
    "Chinese": "的人有我他这中大" * 1_500,
    "LaTeX": r"\quad " * 2_000,
}
"""What is looped begins with the text. Each is about as long as an answer may become."""
