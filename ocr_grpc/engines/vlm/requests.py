"""From a page, a profile and a rung to one call of the model's server."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ocr_grpc.engines.vlm.errors import UpstreamRefused
from ocr_grpc.engines.vlm.images import SentImage, image_of
from ocr_grpc.engines.vlm.profile import Order, Profile, Rung

__all__ = ["Call", "SentImage", "call_of", "harmless", "image_of", "image_tokens"]

SLACK_TOKENS = 64
"""What a chat template adds: roles, and the marks around an image."""
LEAST_ANSWER_TOKENS = 256
# What tokenizers take for a special token: a second `<image>` of DeepSeek's fails the call, and
# `<|im_end|>` would end the message. A space in its place, so that none arises from what is left.
_SPECIAL = re.compile(
    r"<[|｜][^<>]{0,64}[|｜]>"
    r"|</?(?:image\w*|img|s|pad|unk|bos|eos|start_of_\w+|end_of_\w+)>"
    r"|\[/?(?:INST|IMG\w*)\]"
)
_HALF = re.compile(r"<[|｜]|[|｜]>")
MOST_PASSES = 8
"""Special tokens within special tokens; no prompt that means well has any."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `AsyncOpenAI().chat.completions.create`.

    Attributes:
        keywords: its arguments.
        prompt_chars: code points of the text sent along with the image.
    """

    keywords: Mapping[str, Any] = field(repr=False)
    prompt_chars: int


def call_of(
    profile: Profile, rung: Rung, image: SentImage, model: str, prompt: str, context_tokens: int
) -> Call:
    """Return the arguments of one call.

    `model` is the name it is served under, and `context_tokens` what it is served with; 0: as its
    makers say. `prompt` is the caller's or the operator's; empty for the rung's own. What the
    profile puts before a prompt stays, and special tokens in it are taken out. A model that takes
    the image alone is never sent one.

    Raises:
        UpstreamRefused: the prompt leaves no room in the context for an answer.
    """
    asked = harmless(prompt, profile.prompt_tokens)
    asked = asked if asked.strip() else rung.prompt or ""
    text = "" if profile.order is Order.IMAGE_ALONE else profile.prefix + asked
    texts = [text, profile.system or ""]
    keywords: dict[str, Any] = {
        "model": model,
        "messages": _messages(profile, image, text),
        "max_tokens": _answer_tokens(profile, image, texts, context_tokens),
        "temperature": rung.temperature,
        "stream": True,
        # The second is vLLM's own: it tells what a call used that is cut before its end.
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    if rung.top_p is not None:
        keywords["top_p"] = rung.top_p
    if rung.extra_body:
        keywords["extra_body"] = copy.deepcopy(dict(rung.extra_body))
    return Call(keywords, sum(map(len, texts)))


def image_tokens(profile: Profile, image: SentImage) -> int:
    """Return about how many tokens an image takes, rather too many than too few."""
    patch_px, tokens = profile.image_tokens.patch_px, profile.image_tokens.fixed
    if patch_px:
        # Some models end each row of patches with a token.
        tokens += (-(-image.width_px // patch_px) + 1) * -(-image.height_px // patch_px)
    return tokens


def harmless(prompt: str, allowed: frozenset[str]) -> str:
    """Return a prompt without special tokens, but for the allowed ones.

    Nested deeper than `MOST_PASSES`, not even those stay.
    """
    for _ in range(MOST_PASSES):
        changed = _SPECIAL.sub(lambda token: token[0] if token[0] in allowed else " ", prompt)
        if changed == prompt:
            return prompt
        prompt = changed
    return _HALF.sub(" ", prompt)


def _messages(profile: Profile, image: SentImage, text: str) -> list[dict[str, Any]]:
    shown = {"type": "image_url", "image_url": {"url": image.data_uri}}
    said = {"type": "text", "text": text}
    content = {
        Order.IMAGE_FIRST: [shown, said],
        Order.TEXT_FIRST: [said, shown],
        Order.IMAGE_ALONE: [shown],
    }[profile.order]
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if profile.system is not None:
        messages.insert(0, {"role": "system", "content": profile.system})
    return messages


def _answer_tokens(
    profile: Profile, image: SentImage, texts: list[str], context_tokens: int
) -> int:
    """Return how long the answer may be: servers refuse what may grow beyond the context.

    A text never has more tokens than bytes where tokens are pairs of bytes and more.
    """
    context = context_tokens or profile.context_tokens
    text_tokens = sum(len(text.encode(errors="replace")) for text in texts)
    room = context - image_tokens(profile, image) - text_tokens - SLACK_TOKENS
    if room < LEAST_ANSWER_TOKENS:
        raise UpstreamRefused("The prompt and the page leave no room for an answer of the model.")
    return min(profile.max_tokens, room)
