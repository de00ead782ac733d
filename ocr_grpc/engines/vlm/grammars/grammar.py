"""What a parser of a model's answer is."""

from dataclasses import dataclass
from typing import Protocol

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as the model counts them; nothing about them is checked."""


@dataclass(frozen=True, slots=True)
class SeenBlock:
    """A block that the model says begins here: the text that follows is its own.

    Attributes:
        label: the model's word for what it is; may be empty.
        box: where it stands; None if the model did not say so legibly.
    """

    label: str
    box: Box | None


Emission = str | SeenBlock
"""Text of the page, never empty, or a block that begins after all text emitted so far."""


class Grammar(Protocol):
    """Turns an answer, as it arrives in pieces, into text and blocks. For one answer, once.

    What comes out in all does not depend on where the answer is cut into pieces.
    """

    def feed(self, text: str) -> list[Emission]:
        """Return what is certain after this piece; little is held back, and not for long."""
        ...

    def finish(self) -> list[Emission]:
        """Return what was held back, after the last piece; markup that never closed goes."""
        ...

    @property
    def damaged(self) -> bool:
        """Whether something of the answer could not be made out, so that text may be missing."""
        ...

    @property
    def turn_degrees(self) -> int:
        """How far the page must be turned clockwise to stand upright: 0, 90, 180 or 270."""
        ...
