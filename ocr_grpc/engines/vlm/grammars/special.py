"""Special tokens of language models, told apart from text while it arrives in pieces."""

import re
from dataclasses import dataclass

# DeepSeek writes its end token with full-width bars. A name has no white space, so the operators
# of Haskell (`<|>`) and F# (`f <| x |> g`) are text.
_TOKEN = re.compile(r"<[|｜]([^<>|｜\s]{1,48})[|｜]>")
_BEGUN = re.compile(r"<(?:[|｜](?:[^<>|｜\s]{1,48}[|｜]?)?)?\Z")


@dataclass(frozen=True, slots=True)
class Special:
    """A special token by its name, such as `ref` for `<|ref|>`."""

    name: str


def without_tokens(text: str) -> str:
    """Return a text that is there as a whole without special tokens."""
    return _TOKEN.sub("", text)


class SpecialTokens:
    """Splits text into runs of text and special tokens. Holds back 52 characters at most."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> list[str | Special]:
        """Return what is certain after this piece, without empty runs."""
        text = self._held + text
        begun = _BEGUN.search(text, max(0, len(text) - 52))
        end = begun.start() if begun else len(text)
        self._held = text[end:]
        parts: list[str | Special] = []
        start = 0
        for token in _TOKEN.finditer(text, 0, end):
            if token.start() > start:
                parts.append(text[start : token.start()])
            parts.append(Special(token[1]))
            start = token.end()
        if end > start:
            parts.append(text[start:end])
        return parts

    def finish(self) -> str:
        """Return what was held back, if it is text: a token that was cut off is none."""
        held, self._held = self._held, ""
        return held if held == "<" else ""
