"""What a hostile document is, and the list that each module of recipes adds its own to."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

Maker = Callable[[Random], bytes]


@dataclass(frozen=True)
class Recipe:
    """A way to make one hostile document.

    Attributes:
        ending: of the file name that it pretends to have.
        heavy: whether it takes seconds or many megabytes; the slice in `make test` leaves it out.
    """

    name: str
    ending: str
    make: Maker
    heavy: bool = False


RECIPES: list[Recipe] = []


def recipe(ending: str, *, heavy: bool = False) -> Callable[[Maker], Maker]:
    """Register a function that makes a hostile document."""

    def register(make: Maker) -> Maker:
        RECIPES.append(Recipe(f"{ending}: {make.__name__}", ending, make, heavy))
        return make

    return register


def family(ending: str, makers: dict[str, Maker | bytes]) -> None:
    """Register several one-liners under their names."""
    for name, made in makers.items():
        make = partial(_constant, made) if isinstance(made, bytes) else made
        RECIPES.append(Recipe(f"{ending}: {name}", ending, make))


def _constant(content: bytes, _: Random) -> bytes:
    return content
