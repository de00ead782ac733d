"""Words that stand for page breaks and pictures while a document goes through pandoc. Child only.

They are made anew for each document, so that none can have them in its own text.
"""

import re
import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Marks:
    """The words of one document: letters and digits only, which no format gives a meaning.

    Attributes:
        token: what they all begin with.
    """

    token: str = field(default_factory=lambda: f"x{secrets.token_hex(12)}")

    @property
    def page_break(self) -> str:
        """Stands where a page ends, within a line or between paragraphs."""
        return f"{self.token}b"

    @property
    def nothing(self) -> str:
        """Stands between two lists, which would become one without it."""
        return f"{self.token}n"

    def picture(self, number: int) -> str:
        """Stands for a picture."""
        return f"{self.token}p{number}e"

    @property
    def pictures(self) -> re.Pattern[str]:
        """Finds the words for pictures; its one group is the number."""
        return re.compile(f"{self.token}p([0-9]+)e")
