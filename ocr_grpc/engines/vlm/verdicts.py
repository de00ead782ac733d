"""What an answer that is over is worth."""

from ocr_grpc.engines.vlm.answer import Answer
from ocr_grpc.engines.vlm.errors import (
    OutputDamaged,
    OutputEmpty,
    OutputRepeated,
    OutputTruncated,
    UpstreamRefused,
    VisionFailed,
)
from ocr_grpc.engines.vlm.profile import Rung
from ocr_grpc.engines.vlm.upstream import Finish


def check(answer: Answer, finish: Finish | None) -> None:
    """Raise what is wrong with an answer that is over.

    Args:
        answer: all of it that was heard.
        finish: how it ended; None if we hung up.

    Raises:
        VisionFailed: another way of asking may do better, unless it is `UpstreamRefused`.
    """
    if answer.repeats_from is not None:
        raise OutputRepeated("The model said the same again and again, however it was asked.")
    if finish is None or finish.reason == "length":
        raise OutputTruncated("The model came to no end, however it was asked.")
    if finish.reason == "content_filter":
        raise UpstreamRefused("The model's server withholds the text of the page.")
    if answer.empty:
        raise OutputEmpty("The model said nothing about the page, however it was asked.")


def problem_of(failed: list[VisionFailed], rung: Rung, damaged: bool) -> VisionFailed | None:
    """Return why the text of a rung is less than was asked for, after other rungs failed so."""
    if damaged:
        return OutputDamaged("Some of what the model wrote could not be made out.")
    instead = f"What stands here is its answer to another way of asking ({rung.name})."
    for error in failed:
        if isinstance(error, OutputRepeated):
            return OutputRepeated(f"The model repeated itself. {instead}", rung=rung.name)
        if isinstance(error, OutputTruncated):
            return OutputTruncated(f"The model came to no end. {instead}", rung=rung.name)
    if failed and rung.less:
        return OutputEmpty(f"The model said nothing at first. {instead}", rung=rung.name)
    return None
