"""Text as the model writes it, without its special tokens."""

from ocr_grpc.engines.vlm.grammars.grammar import Emission
from ocr_grpc.engines.vlm.grammars.special import SpecialTokens


class PlainGrammar:
    """Passes text on; only special tokens go."""

    damaged = False
    turn_degrees = 0

    def __init__(self) -> None:
        self._tokens = SpecialTokens()

    def feed(self, text: str) -> list[Emission]:
        """Return what is certain after this piece."""
        return [part for part in self._tokens.feed(text) if isinstance(part, str)]

    def finish(self) -> list[Emission]:
        """Return what was held back, after the last piece."""
        rest = self._tokens.finish()
        return [rest] if rest else []
