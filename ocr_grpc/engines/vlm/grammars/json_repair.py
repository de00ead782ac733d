"""Makes JSON of what a model takes for JSON, while it arrives."""

import re

import ijson

# Models write LaTeX into strings as it is. What JSON takes for form feed and backspace is \frac
# and \beta on a page; \n, \r and \t cannot be told from \nu, \rho and \theta.
_PIECE = re.compile(
    r'\\(?:["\\/nrt]|u[0-9a-fA-F]{4})|\\(?:u[0-9a-fA-F]{0,3})?\Z|[\\"\x00-\x1f\[\]{}]'
)
# The parser's memory is the square of the depth. An array of elements with boxes is three deep.
MOST_DEPTH = 16
_WHOLE = re.compile(r'\\(?:["\\/nrt]|u[0-9a-fA-F]{4})')


class JsonRepair:
    """Doubles backslashes that escape nothing, and escapes line breaks inside strings."""

    def __init__(self) -> None:
        self._held = ""
        self._in_string = False
        self._depth = 0

    def feed(self, text: str) -> str:
        """Return what is certain after this piece; at most five characters are held back.

        Raises:
            ijson.JSONError: arrays and objects are nested deeper than `MOST_DEPTH`.
        """
        text, self._held = self._held + text, ""
        out: list[str] = []
        start = 0
        for piece in _PIECE.finditer(text):
            out.append(text[start : piece.start()])
            start = piece.end()
            found = piece[0]
            if found[0] == "\\" and piece.end() == len(text) and not _WHOLE.fullmatch(found):
                self._held = found
            else:
                out.append(self._repaired(found))
        out.append(text[start:])
        return "".join(out)

    def _repaired(self, piece: str) -> str:
        if piece == '"':
            self._in_string = not self._in_string
        elif piece == "\\":
            return "\\\\"
        elif piece < " " and self._in_string:
            return f"\\u{ord(piece):04x}"
        elif not self._in_string:
            self._nest(piece)
        return piece

    def _nest(self, piece: str) -> None:
        if piece in "[{":
            self._depth += 1
            if self._depth > MOST_DEPTH:
                raise ijson.JSONError("Arrays and objects are nested too deep.")
        elif piece in "]}":
            self._depth -= 1
