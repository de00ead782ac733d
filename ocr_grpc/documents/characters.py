"""Characters that no text of a document keeps, whatever format it came in."""

UNSHOWN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
)
"""Control characters, marks that steer bidirectional display, and widthless ones, to stand between
the brackets of a pattern. They say nothing in plain text and can make it look like what it is not.
Line breaks and tabs are not among them, nor joiners: Persian and Indic words need those."""
