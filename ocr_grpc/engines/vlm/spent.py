"""What calls of a model used up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """What some calls used up together.

    Attributes:
        prompt_tokens: the image among them.
        completion_tokens: those of text that was taken back as well.
        tokens_estimated: whether the server did not count all of them.
        prompt_chars: code points of the text sent along with the image.
        attempts: how many calls there were.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_estimated: bool = False
    prompt_chars: int = 0
    attempts: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.tokens_estimated or other.tokens_estimated,
            self.prompt_chars + other.prompt_chars,
            self.attempts + other.attempts,
        )
