"""Counts what the calls for one page use up, whether the server tells or not."""

from typing import cast

from ocr_grpc.engines.vlm.chunks import fields_of
from ocr_grpc.engines.vlm.profile import Profile
from ocr_grpc.engines.vlm.requests import Call, SentImage, image_tokens
from ocr_grpc.engines.vlm.spent import Spent

MOST_TOKENS = 1_000_000
"""Of one call. A larger figure is no count, and the calls of a page must fit 31 bits together."""
BYTES_PER_TOKEN = 4
"""UTF-8, not characters: four letters of English and little more than one of Chinese make one."""


class CallCount:
    """What one call uses up. Estimates are used where the server does not tell."""

    def __init__(self, prompt_chars: int, prompt_tokens: int) -> None:
        """Prepare to count.

        Args:
            prompt_chars: code points of text sent along with the image.
            prompt_tokens: about how many tokens they and the image make.
        """
        self._prompt_chars = prompt_chars
        self._prompt_tokens = prompt_tokens
        self._sent = self._accepted = False
        self._deltas = 0
        self._bytes = 0
        self._told: tuple[int, int] | None = None
        self._told_all = False

    def sent(self) -> None:
        """Note that the call is made."""
        self._sent = True

    def accepted(self) -> None:
        """Note that the server took the call on, and so read the image."""
        self._accepted = True

    def heard(self, text: str) -> None:
        """Note text of the answer, markup included."""
        self._deltas += 1
        self._bytes += len(text) if text.isascii() else len(text.encode(errors="replace"))
        self._told_all = False

    def told(self, usage: object) -> None:
        """Note what the server says of all tokens so far; anything but two counts is ignored."""
        counts = fields_of(usage)
        prompt, completion = counts.get("prompt_tokens"), counts.get("completion_tokens")
        if _is_count(prompt) and _is_count(completion):
            self._told = cast("tuple[int, int]", (prompt, completion))
            self._told_all = True

    @property
    def spent(self) -> Spent:
        """Return what the call has used up so far."""
        prompt, completion = self._told or (0, 0)
        if not self._told_all or (self._bytes and not completion):
            # A delta holds one token at least, and a call that is cut never tells its end.
            guessed = max(self._deltas, -(-self._bytes // BYTES_PER_TOKEN))
            completion = max(completion, guessed)
        if self._accepted and not prompt:
            prompt = self._prompt_tokens
        return Spent(
            prompt_tokens=prompt,
            completion_tokens=completion,
            tokens_estimated=(prompt, completion) != (self._told or (0, 0)),
            prompt_chars=self._prompt_chars if self._sent else 0,
            attempts=int(self._sent),
        )


class PageCount:
    """What all calls for one page use up."""

    def __init__(self) -> None:
        self._calls: list[CallCount] = []

    def call(self, prompt_chars: int, prompt_tokens: int) -> CallCount:
        """Begin another call; see `CallCount`."""
        call = CallCount(prompt_chars, prompt_tokens)
        self._calls.append(call)
        return call

    @property
    def spent(self) -> Spent:
        """Return what they have used up so far."""
        return sum((call.spent for call in self._calls), Spent())


def prompt_tokens(profile: Profile, image: SentImage, call: Call) -> int:
    """Return about how many tokens a call sends, for servers that do not tell."""
    return image_tokens(profile, image) + -(-call.prompt_chars // BYTES_PER_TOKEN)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
