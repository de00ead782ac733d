"""What is sent: case number N of a seed, the same each time and whatever came before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from ocr_grpc.v1 import options_pb2
from tests.fuzz import (  # noqa: F401 - each adds its recipes when it is loaded
    book_recipes,
    image_recipes,
    pdf_recipes,
    picture_recipes,
    sheet_recipes,
    slide_recipes,
    text_recipes,
    word_recipes,
    xml_recipes,
    zip_recipes,
)
from tests.fuzz.byte_damage import damaged
from tests.fuzz.good_documents import MAKERS, good
from tests.fuzz.good_pdf import PASSWORD
from tests.fuzz.recipes import RECIPES, Recipe

ENDINGS = ("pdf", "docx", "xlsx", "xls", "pptx", "odt", "ods", "epub", "rtf", "html", "md", "csv",
           "tsv", "txt", "png", "jpg", "tif", "heic", "exe", "svg", "zip", "xml",
           "markdown")  # fmt: skip
NAMES = ("../../etc/passwd", "a\0b.docx", "x" * 256, "", "\u202egpj.md", "C:\\x.csv", "a\nb.html",
         ".md", "x" * 240 + ".docx", "a.b.c.d", "näme – 名前.txt", "con",
         "a." + "e" * 250)  # fmt: skip
PAGES = (
    "",
    "1",
    "1-3",
    "2-",
    "-4",
    "9999",
    "1,1,1",
    "one",
    "0",
    "3-1",
    "1," * 1999 + "1",
    "9" * 40,
)
METHODS = ("upload", "upload", "stream", "extract", "inspect")
MAX_INLINE = 16 * 2**20
MUTATED = 20
"""How often each file of a corpus is sent damaged, besides once as it is."""


@dataclass(frozen=True)
class Case:
    """One call to the server; `method` is upload, stream, extract or inspect."""

    index: int
    name: str
    method: str
    content: bytes
    file_name: str
    options: options_pb2.ExtractOptions


class Cases:
    """All cases of a seed."""

    def __init__(self, seed: int, count: int, corpus: Sequence[Path] = ()) -> None:
        self._seed = seed
        self._made = count
        self._corpus = corpus
        self.count = count + len(corpus) * (1 + MUTATED)

    def case(self, index: int) -> Case:
        """Return one; `index` counts from 0."""
        dice = Random(f"{self._seed}:{index}")
        # A third are made to mean harm, the rest are good ones that were damaged.
        if index >= self._made:
            name, ending, content = self._of_corpus(dice, index - self._made)
        elif index % 3 == 0:
            chosen = _in_order(self._seed)[index // 3 % len(RECIPES)]
            name, ending, content = chosen.name, chosen.ending, chosen.make(dice)
        else:
            start = list(MAKERS)[index % len(MAKERS)]
            ending = MAKERS[start][0]
            how, content = damaged(dice, good(start), good(dice.choice(list(MAKERS))))
            name = f"{start}: {how}"
        method = dice.choice(METHODS) if len(content) < MAX_INLINE else "upload"
        return Case(index, name, method, content, _file_name(dice, ending), _options(dice))

    def _of_corpus(self, dice: Random, number: int) -> tuple[str, str, bytes]:
        path = self._corpus[number // (1 + MUTATED)]
        content, ending = path.read_bytes() or b"\0", path.suffix[1:].lower()
        if number % (1 + MUTATED) == 0:
            return f"{path.name}: as it is", ending, content
        how, content = damaged(dice, content, good(dice.choice(list(MAKERS))))
        return f"{path.name}: {how}", ending, content


@cache
def _in_order(seed: int) -> list[Recipe]:
    """Return the recipes in an order of the seed's own, the heavy ones last."""
    mixed = Random(seed).sample(RECIPES, len(RECIPES))
    return sorted(mixed, key=lambda it: it.heavy)


def _file_name(dice: Random, ending: str) -> str:
    kind = dice.random()
    if kind < 0.7:
        return f"document.{ending}"
    return f"document.{dice.choice(ENDINGS)}" if kind < 0.9 else dice.choice(NAMES)


def _options(dice: Random) -> options_pb2.ExtractOptions:
    """Return the defaults mostly, so that the document decides; else a few of everything."""
    options = options_pb2.ExtractOptions()
    if dice.random() < 0.3:
        options.password = dice.choice(("", PASSWORD, "wrong", "\0", "é" * 128))
        options.mode = dice.choice((0, 1, 1, 2, 3))
        options.text_format = dice.choice((0, 1, 2))
        options.skip_pictures = dice.random() < 0.5
        options.dpi = dice.choice((0, 50, 100, 300, 600))
        options.pages = dice.choice(PAGES) if dice.random() < 0.3 else ""
    elif dice.random() < 0.02:
        options.engine = dice.choice(("", "nobody", "null"))
        options.prompt = dice.choice(("", "Free OCR."))
        options.languages.extend(dice.choice(((), ("de",), ("tlh",), ("x" * 5000,), ("de",) * 17)))
        options.dpi = dice.choice((-1, 1, 601, 2**31 - 1))
        options.mode = dice.choice((0, 99))
        options.password = dice.choice(("", "x" * 129))
        options.text_format = dice.choice((0, 77))
    return options
