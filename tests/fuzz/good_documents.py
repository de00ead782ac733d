"""Small documents of every format, all of them good: what mutations start from."""

import re
import subprocess
from collections.abc import Callable
from functools import cache

import pypandoc

from tests.fuzz import good_images, good_office, good_pdf
from tests.fuzz.archive import archive, member, members_of

STORY = """---
title: A good book
identifier: good-book
---

# One {#one}

It was a bright cold day in April, *and* the clocks were striking [thirteen](https://example.org).

1. first
2. second
    - third, `code`

| name | price |
|------|------:|
| tea  |  1.20 |

# Two

> Nobody climbed the stairs.^[They were locked.]

$$e^{i\\pi} = -1$$
"""

TABLE = 'name;price;sum\ntea;1,20;=A1+B1\n"milk; white";0,99;\n'
FOREIGN = "Größe, naïve, Łódź, Привет, 東京都, مرحبا\n\nZweiter Absatz.\n"


def _pandoc(to: str) -> bytes:
    """Return the story as pandoc writes it."""
    command = [pypandoc.get_pandoc_path(), "-f", "markdown", "-t", to, "-s", "-o", "-"]
    return subprocess.run(command, input=STORY.encode(), capture_output=True, check=True).stdout


MAKERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    **good_pdf.MAKERS,
    **good_images.MAKERS,
    **good_office.MAKERS,
    "docx by pandoc": ("docx", lambda: _pandoc("docx")),
    "odt by pandoc": ("odt", lambda: _pandoc("odt")),
    "pptx by pandoc": ("pptx", lambda: _pandoc("pptx")),
    "epub": ("epub", lambda: _pandoc("epub3")),
    "epub 2": ("epub", lambda: _pandoc("epub2")),
    "rtf": ("rtf", lambda: _pandoc("rtf")),
    "html": ("html", lambda: _pandoc("html5")),
    "markdown": ("md", STORY.encode),
    "csv": ("csv", TABLE.encode),
    "tsv": ("tsv", lambda: b"name\tprice\ntea\t1.20\nmilk\t0.99\n"),
    "text": ("txt", FOREIGN.encode),
    "text in UTF-16": ("txt", lambda: FOREIGN.encode("utf-16")),
    "text in cp1252": ("txt", lambda: "Größe, naïve, façade – “quoted”\n".encode("cp1252")),
    "text in Shift JIS": ("txt", lambda: ("東京都港区の図書館\n" * 9).encode("shift_jis")),
    "text in GB 18030": ("txt", lambda: ("北京市的图书馆，开放时间\n" * 9).encode("gb18030")),
}
"""How each is made, with the ending of its file name."""


_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")


def good(name: str) -> bytes:
    """Return one of them, byte by byte the same in each run: office programs write the time."""
    return _all()[name]


@cache
def _all() -> dict[str, bytes]:
    """Return all of them. One after the other, as odfpy remembers what it wrote before."""
    return {name: _timeless(make()) for name, (_, make) in MAKERS.items()}


def _timeless(content: bytes) -> bytes:
    if not content.startswith(b"PK"):
        return content
    return archive(
        member(each.name, _MOMENT.sub(b"2026-01-01T00:00:00", each.content()), each.method)
        for each in members_of(content)
    )


@cache
def parts(name: str) -> dict[str, bytes]:
    """Return the members of one that is a container."""
    return {each.name: each.content() for each in members_of(good(name))}
