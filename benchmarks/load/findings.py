"""What the validator says of what is wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        rule: which rule was broken.
        subject: the call, the user or the batch.
        words: what was seen, for people.
    """

    rule: str
    subject: str
    words: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.words}"
