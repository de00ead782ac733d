"""Plain text as Markdown (GFM) that shows the same."""

import re

_INLINE = re.compile(
    # A link as it stands, which would show backslashes.
    r"(?P<link>(?<![^\W_])https?://[\w/.%?=&#+:,@!$'()~-]*[\w/])"
    r"|[`*|]"
    r"|\\(?=[!-/:-@\[-`{-~]|$)"  # escapes the sign behind it, or breaks the line
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside of a word it is none
    r"|<(?=[A-Za-z/!?])"  # opens a tag
    r"|&(?=#?\w{1,32};)"  # names a character
    r"|~(?=~)|(?<=~)~"
    r"|!?\[(?=[^\[\]]*\](?:\(|\[))"  # begins a link or a picture
)
"""What means something in the middle of a line; everything else means only itself there."""
_START = re.compile(
    r"#{1,6}(?=\s|$)"  # a heading
    r"|[-+](?=\s|$)"  # an item
    r"|-+(?=\s*$)|=+(?=\s*$)"  # makes a heading of the line before
    r"|>"
    r"|\[(?=[^\]]*\]:)"  # a note or the target of a link, neither of which is shown
)
_NUMBER = re.compile(r"\d{1,9}(?=[.)](?:\s|$))")


def escaped_text(text: str) -> str:
    """Return plain text with everything escaped that would be Markdown.

    Lines stay lines. Spaces at their ends are dropped: they would be code, or break the line.
    """
    return "\n".join(map(_escaped_line, text.split("\n")))


def _escaped_line(line: str) -> str:
    line = line.strip()
    number = _NUMBER.match(line)
    if number:  # no item of a list, once the sign after it is escaped
        return f"{number[0]}\\{_INLINE.sub(_escaped, line[number.end() :])}"
    start = "\\" if _START.match(line) else ""
    return start + _INLINE.sub(_escaped, line)


def _escaped(sign: re.Match[str]) -> str:
    return sign["link"] or "".join(f"\\{each}" for each in sign[0])
