"""All documents that reach out; each puts every address of the target where its format lets it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.canaries import books, excel, html, pdf, powerpoint, text, word
from tests.canaries.target import Target

WORDS = "Visible words"
"""What a document that is read says, so that we know that somebody looked into it."""


@dataclass(frozen=True)
class Canary:
    """A document; `refused` is the reason it must be refused with, empty if it must be read."""

    name: str
    make: Callable[[Target], bytes]
    refused: str = ""

    @property
    def ending(self) -> str:
        """Return the ending of its file name."""
        return self.name.split(":")[0]


def _all() -> list[Canary]:
    found = []
    for module in (word, excel, powerpoint, books, html, text, pdf):
        for name, make in module.READ.items():
            found.append(Canary(name, make))
        for name, (make, reason) in module.REFUSED.items():
            found.append(Canary(name, make, reason))
    return found


CANARIES = _all()
