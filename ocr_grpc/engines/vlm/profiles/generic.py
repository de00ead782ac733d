"""A vision-language model that none of the other profiles knows; all choices here are ours."""

import re
from dataclasses import replace

from ocr_grpc.engines.vlm.profile import BoxSpace, ImageRule, ImageTokens, Order, Profile, Rung
from ocr_grpc.model import TextFormat

_MARKDOWN = Rung(
    name="markdown",
    prompt=(
        "Transcribe this page into Markdown, in reading order. Keep every word as it is printed; "
        "translate, explain and leave out nothing. Write tables as HTML and formulas as LaTeX. "
        "Answer with the text of the page alone."
    ),
    grammar="plain",
    text_format=TextFormat.MARKDOWN,
    temperature=0.0,
)
_PLAIN = replace(
    _MARKDOWN,
    name="plain",
    prompt=(
        "Transcribe the text of this page, in reading order and without any markup. Keep every "
        "word as it is printed; translate, explain and leave out nothing. Answer with the text of "
        "the page alone."
    ),
    text_format=TextFormat.PLAIN,
)

GENERIC = Profile(
    name="generic",
    title="Any vision-language model",
    served_as=re.compile(""),
    order=Order.IMAGE_FIRST,
    # A size that the common families neither scale down nor tile much; JPEG, because servers
    # elsewhere bound the size of a request.
    image=ImageRule(
        dpi=144,
        longest_side_px=1_568,
        form="jpeg",
        quality=92,
        most_extreme_aspect=4.0,
    ),
    boxes=BoxSpace.NONE,
    image_tokens=ImageTokens(patch_px=28, fixed=64),
    max_tokens=4_096,
    context_tokens=8_192,
    markdown=(_MARKDOWN, replace(_MARKDOWN, name="markdown-warm", temperature=0.3)),
    plain=(_PLAIN, replace(_PLAIN, name="plain-warm", temperature=0.3)),
    licence="that of the model",
)
