"""olmOCR-2.

Sources: allenai/olmocr, olmocr/pipeline.py and olmocr/prompts/prompts.py.
"""

import re
from dataclasses import replace

from ocr_grpc.engines.vlm.profile import BoxSpace, ImageRule, ImageTokens, Order, Profile, Rung
from ocr_grpc.model import TextFormat

# build_no_anchoring_v4_yaml_prompt, which the model was trained on: every character counts.
PROMPT = (
    "Attached is one page of a document that you must process. Just return the plain text "
    "representation of this document as if you were reading it naturally. Convert equations to "
    "LateX and tables to HTML.\n"
    "If there are any figures or charts, label them with the following markdown syntax "
    "![Alt text describing the contents of the figure](page_startx_starty_width_height.png)\n"
    "Return your output as markdown, with a front matter section on top specifying values for "
    "the primary_language, is_rotation_valid, rotation_correction, is_table, and is_diagram "
    "parameters."
)

_PAGE = Rung(
    name="page",
    prompt=PROMPT,
    grammar="front_matter",
    text_format=TextFormat.MARKDOWN,
    temperature=0.1,
)

OLMOCR_2 = Profile(
    name="olmocr-2",
    title="olmOCR-2",
    served_as=re.compile(r"olmocr(?:[-_ .]?2|\Z)", re.IGNORECASE),  # its pipeline says `olmocr`
    order=Order.TEXT_FIRST,
    image=ImageRule(
        # Documents are rendered to this size, --target_longest_image_dim; about 110 dpi of A4.
        dpi=110,
        longest_side_px=1_288,
        # Its base, Qwen2.5-VL, sees squares of 28 and makes sides whole multiples itself; without
        # boxes it does not matter, so images stay undistorted.
        most_extreme_aspect=4.0,
    ),
    boxes=BoxSpace.NONE,
    image_tokens=ImageTokens(patch_px=28, fixed=64),
    max_tokens=8_000,  # MAX_TOKENS
    context_tokens=16_384,  # MODEL_MAX_CONTEXT
    # TEMPERATURE_BY_ATTEMPT begins .1 .1 .2 .3 .5 and goes on to 1.0: four of its eight tries.
    markdown=(
        _PAGE,
        replace(_PAGE, name="page-2", temperature=0.2),
        replace(_PAGE, name="page-3", temperature=0.3),
        replace(_PAGE, name="page-4", temperature=0.5),
    ),
    languages=("en",),
    licence="Apache-2.0",
)
