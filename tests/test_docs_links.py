"""Links of all Markdown files: what they lead to is there, and has the heading that they name."""

import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^ *(```|~~~).*?^ *\1 *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
TARGET = re.compile(
    r"\]\(\s*<?([^()\s<>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE
)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:|//", re.IGNORECASE)


def pages() -> list[Path]:
    """Return the Markdown files of the repository, new ones too, none that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("This is no checkout of git.")
    return sorted(ROOT / name for name in listed.stdout.split("\0") if (ROOT / name).is_file())


@cache
def anchors(text: str) -> frozenset[str]:
    """Return the names of the headings of a page, as web forges make them."""
    found: set[str] = set()
    for title in HEADING.findall(FENCED.sub("", text)):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        again = sum(
            each == name or re.fullmatch(rf"{name}-\d+", each) is not None for each in found
        )
        found.add(f"{name}-{again}" if again else name)
    return frozenset(found)


def links_of(page: Path, text: str) -> list[tuple[str, Path, str]]:
    """Return the links of a page to files: as written, the file, and the heading."""
    found: list[tuple[str, Path, str]] = []
    for pair in TARGET.findall(CODE.sub("", FENCED.sub("", text))):
        link = "".join(pair)
        if not ELSEWHERE.match(link):
            path, _, heading = unquote(link).partition("#")
            found.append((link, (page.parent / path).resolve() if path else page, heading))
    return found


def leads_somewhere(target: Path, heading: str, text: str | None = None) -> bool:
    if not (target.is_relative_to(ROOT) and target.exists()):
        return False
    return not heading or (
        target.suffix == ".md" and heading in anchors(target.read_text() if text is None else text)
    )


def broken(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead nowhere, or out of the repository."""
    return [
        link
        for link, target, heading in links_of(page, text)
        if not leads_somewhere(target, heading, text if target == page else None)
    ]


def test_links_lead_somewhere():
    found = pages()
    assert ROOT / "README.md" in found
    wrong = {str(page.relative_to(ROOT)): broken(page, page.read_text()) for page in found}
    assert {name: links for name, links in wrong.items() if links} == {}


def test_every_page_of_docs_is_linked_from_another():
    found = pages()
    linked = {
        target
        for page in found
        for _, target, _ in links_of(page, page.read_text())
        if target != page
    }
    assert [
        page.name for page in found if page.parent == ROOT / "docs" and page not in linked
    ] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[a](docs/api.md) [b](docs/api.md#events) [c](docs/) [d](https://example.com/x.md)", []),
        ("[a](docs/none.md)", ["docs/none.md"]),
        ("[a](docs/api.md#no-such-heading)", ["docs/api.md#no-such-heading"]),
        ("# One & two\n[a](#one--two) [b](#one)", ["#one"]),
        ("[a][b]\n\n[b]: docs/none.md", ["docs/none.md"]),
        ("[a](/README.md) [b](../elsewhere.md)", ["/README.md", "../elsewhere.md"]),
        ("`[a](none.md)`\n```\n[b](none.md)\n```\n", []),
    ],
)
def test_what_leads_nowhere_is_found(text, wrong):
    assert broken(ROOT / "README.md", text) == wrong
