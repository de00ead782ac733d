"""LightOnOCR-2.

Sources: the model card of lightonai/LightOnOCR-2-1B.
"""

import re
from dataclasses import replace

from ocr_grpc.engines.vlm.profile import BoxSpace, ImageRule, ImageTokens, Order, Profile, Rung
from ocr_grpc.model import TextFormat

_PAGE = Rung(
    name="page",
    prompt=None,
    grammar="plain",
    text_format=TextFormat.MARKDOWN,
    temperature=0.2,
    top_p=0.9,
)

LIGHTON_OCR_2 = Profile(
    name="lighton-ocr-2",
    title="LightOnOCR-2",
    served_as=re.compile(r"lighton[-_ .]?ocr[-_ .]?2", re.IGNORECASE),
    # Told anything, it tends to repeat it in its answer.
    order=Order.IMAGE_ALONE,
    image=ImageRule(
        dpi=200,
        longest_side_px=1_540,
        most_extreme_aspect=4.0,
    ),
    # Its variants named -bbox mark figures, and nothing else.
    boxes=BoxSpace.NONE,
    # Squares of 14, four of which become a token, and a token after each row.
    image_tokens=ImageTokens(patch_px=28, fixed=16),
    max_tokens=4_096,
    # What it is served with is more; this is enough for the image and the longest answer.
    context_tokens=8_192,
    markdown=(_PAGE, replace(_PAGE, name="page-warm", temperature=0.4)),  # 0.4 is ours
    languages=("da", "de", "en", "es", "fr", "it", "ja", "nl", "pt", "sv", "zh"),
    licence="Apache-2.0",
)
