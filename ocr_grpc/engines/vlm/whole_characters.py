"""Joins the halves of a character that a server sent in two pieces."""


class WholeCharacters:
    """Holds back half a character; for the text of one answer.

    JSON may write a character beyond the first 65,536 as two escapes, and servers cut between
    them. Half a one would be refused wherever text is stored or sent, long after this.
    """

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return the text so far that is whole; halves that never met become U+FFFD."""
        text, self._half = self._half + text, ""
        if text.isascii():
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
