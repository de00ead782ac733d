"""Parsers of what models write, by name: text comes out, markup becomes blocks or goes.

Text is passed on as Markdown has it: tables that a model writes in HTML stay HTML.
"""

from collections.abc import Callable

from ocr_grpc.engines.vlm.grammars.clean import Cleaned
from ocr_grpc.engines.vlm.grammars.dots_json import DotsJsonGrammar
from ocr_grpc.engines.vlm.grammars.front_matter import FrontMatterGrammar
from ocr_grpc.engines.vlm.grammars.grammar import Box, Emission, Grammar, SeenBlock
from ocr_grpc.engines.vlm.grammars.grounded import GroundedGrammar
from ocr_grpc.engines.vlm.grammars.plain import PlainGrammar

__all__ = ["GRAMMARS", "Box", "Emission", "Grammar", "SeenBlock", "make_grammar"]

GRAMMARS: dict[str, Callable[[], Grammar]] = {
    "plain": PlainGrammar,
    "grounded": GroundedGrammar,
    "front_matter": FrontMatterGrammar,
    "dots_json": DotsJsonGrammar,
}


def make_grammar(name: str) -> Grammar:
    """Return a new parser for one answer; its text is in NFC, without control characters.

    Raises:
        ValueError: there is no such parser.
    """
    if name not in GRAMMARS:
        raise ValueError(f"There is no grammar {name}; there are {', '.join(GRAMMARS)}.")
    return Cleaned(GRAMMARS[name]())
