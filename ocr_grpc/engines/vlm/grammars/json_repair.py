"""Makes JSON of what a model takes for JSON, while it arrives."""

import re

# Models write LaTeX into strings as it is. What JSON takes for form feed and backspace is \frac
# and \beta on a page; \n, \r and \t cannot be told from \nu, \rho and \theta.
_PIECE = re.compile(r'\\(?:["\\/nrt]|u[0-9a-fA-F]{4})|\\(?:u[0-9a-fA-F]{0,3})?\Z|[\\"\x00-\x1f]')
_WHOLE = re.compile(r'\\(?:["\\/nrt]|u[0-9a-fA-F]{4})')


class JsonRepair:
    """Doubles backslashes that escape nothing, and escapes line breaks inside strings."""

    def __init__(self) -> None:
        self._held = ""
        self._in_string = False

    def feed(self, text: str) -> str:
        """Return what is certain after this piece; at most five characters are held back."""
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
        return piece
