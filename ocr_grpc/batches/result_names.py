"""Names of files that hold results: fit for every system, whatever a caller called the document."""

import unicodedata

MAX_BYTES = 120
"""Of a name in UTF-8, so that with a number, an ending and a folder it fits everywhere."""

_RESERVED = frozenset('/\\:*?"<>|')
"""What separates folders, or is refused by some system."""


def safe_name(name: str, default: str) -> str:
    """Return a name without separators, control characters, and dots or spaces at its ends.

    Args:
        name: what somebody else chose.
        default: instead, if nothing is left of it.
    """
    # Category C: control characters, and those that are not seen but turn what is around them.
    shown = "".join(
        "_" if sign in _RESERVED or unicodedata.category(sign)[0] == "C" else sign
        for sign in unicodedata.normalize("NFC", name)
    )
    cut = shown.strip(". ").encode()[:MAX_BYTES].decode(errors="ignore")
    return cut.strip(". ") or default


def numbered_name(number: int, name: str, ending: str) -> str:
    """Return the name of a document's result in an archive, which no other document has."""
    return f"{number:04d}-{safe_name(name, 'document')}.{ending}"
