"""The profiles there are, one file a family of models, and which one a served model wants."""

from ocr_grpc.engines.vlm.profile import Profile
from ocr_grpc.engines.vlm.profiles.deepseek import DEEPSEEK_OCR, DEEPSEEK_OCR_2
from ocr_grpc.engines.vlm.profiles.dots import DOTS_OCR
from ocr_grpc.engines.vlm.profiles.generic import GENERIC
from ocr_grpc.engines.vlm.profiles.lighton import LIGHTON_OCR_2
from ocr_grpc.engines.vlm.profiles.olmocr import OLMOCR_2

__all__ = ["PROFILES", "profile_for"]

PROFILES = (DEEPSEEK_OCR, DEEPSEEK_OCR_2, DOTS_OCR, OLMOCR_2, LIGHTON_OCR_2, GENERIC)
"""All of them; the generic one is last and knows every name."""


def profile_for(model_name: str, choice: str = "auto") -> Profile:
    """Return how a model wants to be asked.

    Args:
        model_name: what it is served as; `auto` goes by it.
        choice: `auto`, or the name of a profile.

    Raises:
        ValueError: there is no such profile; the message names those there are.
    """
    if choice == "auto":
        return next(profile for profile in PROFILES if profile.served_as.search(model_name))
    for profile in PROFILES:
        if profile.name == choice:
            return profile
    names = ", ".join(["auto", *(profile.name for profile in PROFILES)])
    raise ValueError(f"There is no profile {choice} of a vision-language model; there are {names}.")
