r"""Saves Markdown from backslashes that nothing needs. Child only.

Pandoc escapes whatever might be taken for a mark somewhere, so that `a < b [1]` becomes `a \< b
\[1\]`. Where a sign can only be itself, a private character takes its place while pandoc writes.
"""

import re

_FIRST_PRIVATE = 0x10FF00
_SIGNS = "<>[]#|*\\"
_TO_PRIVATE = {sign: chr(_FIRST_PRIVATE + at) for at, sign in enumerate(_SIGNS)}
_BACKSLASH = chr(_FIRST_PRIVATE + len(_SIGNS))
_FROM_PRIVATE = {ord(private): sign for sign, private in _TO_PRIVATE.items()}
_FROM_PRIVATE[ord(_BACKSLASH)] = "\\\\"
_HARMLESS = re.compile(
    r"<(?![A-Za-z/!?])"  # opens no tag
    r"|(?<=.)>"  # begins no quotation
    r"|\[(?=[^\s^xX\]].)"  # no note, no box to tick
    r"|(?<=.)\](?![(\[:])"  # ends no link
    r"|\#(?=[^\s#])"  # a heading has a space after it
    r"|(?<=\w)\|(?=\w)"  # tables have spaces around it; inside of one this is undone
    r"|(?<=\d)\*(?=\d)"  # two times three
    r"|\\"
)
_ESCAPING = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)")


def protected(word: str) -> str:
    """Return a word with the signs that mean only themselves made private."""
    # Pandoc 3.9 loses the sign after a backslash; it has to be escaped before punctuation only.
    word = _ESCAPING.sub(_BACKSLASH, word)
    return _HARMLESS.sub(lambda match: _TO_PRIVATE[match[0]], word)


def in_table(word: str) -> str:
    """Return a protected word for a cell of a table, where bars have to be escaped."""
    return word.replace(_TO_PRIVATE["|"], "|")


def restored(markdown: str) -> str:
    """Return what pandoc wrote with all signs back in place."""
    return markdown.translate(_FROM_PRIVATE)
