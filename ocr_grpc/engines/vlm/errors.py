"""Why a vision-language model did not read a page as it should.

On a page that another engine or another prompt read instead they are the reason it is `DEGRADED`.
"""

from ocr_grpc.engines.vlm.spent import Spent
from ocr_grpc.errors import OcrError


class VisionFailed(OcrError):
    """The model gave no text for this page; another engine may. `spent` is what was used up."""

    reason = "VLM_FAILED"
    spent = Spent()


class OutputRepeated(VisionFailed):
    """The model said the same again and again."""

    reason = "OUTPUT_REPEATED"


class OutputTruncated(VisionFailed):
    """The model had not come to an end when its tokens were used up."""

    reason = "OUTPUT_TRUNCATED"


class OutputEmpty(VisionFailed):
    """The model said nothing about a page that is not blank."""

    reason = "OUTPUT_EMPTY"


class OutputDamaged(VisionFailed):
    """Some of what the model wrote could not be made out, so text may be missing."""

    reason = "OUTPUT_DAMAGED"


class UpstreamRefused(VisionFailed):
    """The model's server refused the page, and would again."""

    reason = "VLM_REFUSED"


class UpstreamUnavailable(VisionFailed):
    """The model's server cannot be reached, is overloaded, or fails; trying again may help."""

    reason = "VLM_UNAVAILABLE"


class UpstreamTimedOut(VisionFailed):
    """The model took longer than it may."""

    reason = "VLM_TIMED_OUT"
