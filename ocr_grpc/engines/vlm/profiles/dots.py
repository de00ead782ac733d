"""dots.ocr and its successor dots.mocr.

Sources: rednote-hilab/dots.ocr, dots_ocr/model/inference.py, dots_ocr/utils/prompts.py,
dots_ocr/utils/consts.py and dots_ocr/utils/image_utils.py.
"""

import re
from dataclasses import replace

from ocr_grpc.engines.vlm.profile import BoxSpace, ImageRule, ImageTokens, Order, Profile, Rung
from ocr_grpc.model import TextFormat

# prompt_layout_all_en, which the model was trained on: every character counts.
LAYOUT_PROMPT = """\
Please output the layout information from the PDF image, including each layout element's bbox, \
its category, and the corresponding text content within the bbox.

1. Bbox format: [x1, y1, x2, y2]

2. Layout Categories: The possible categories are ['Caption', 'Footnote', 'Formula', 'List-item', \
'Page-footer', 'Page-header', 'Picture', 'Section-header', 'Table', 'Text', 'Title'].

3. Text Extraction & Formatting Rules:
    - Picture: For the 'Picture' category, the text field should be omitted.
    - Formula: Format its text as LaTeX.
    - Table: Format its text as HTML.
    - All Others (Text, Title, etc.): Format their text as Markdown.

4. Constraints:
    - The output text must be the original text from the image, with no translation.
    - All layout elements must be sorted according to human reading order.

5. Final Output: The entire output must be a single JSON object.
"""

_LAYOUT = Rung(
    name="layout",
    prompt=LAYOUT_PROMPT,
    grammar="dots_json",
    text_format=TextFormat.MARKDOWN,
    temperature=0.1,  # inference.py, as is the next
    top_p=0.9,
)
# prompt_ocr: without headers and footers, says its comment.
_TEXT = replace(
    _LAYOUT,
    name="text",
    prompt="Extract the text content from this image.",
    grammar="plain",
    text_format=TextFormat.PLAIN,
)

DOTS_OCR = Profile(
    name="dots-ocr",
    title="dots.ocr",
    served_as=re.compile(r"dots[-_ .]?m?ocr", re.IGNORECASE),
    order=Order.IMAGE_FIRST,
    # Without it vLLM puts a line break between image and text (inference.py).
    prefix="<|img|><|imgpad|><|endofimg|>",
    image=ImageRule(
        dpi=200,  # image_utils.py, target_dpi
        # consts.py. Boxes are in pixels of what the server makes of the image: an image that
        # fits already is left alone, so they are those of the image sent.
        min_pixels=3_136,
        max_pixels=11_289_600,
        multiple=28,
    ),
    boxes=BoxSpace.SENT_PIXELS,
    image_tokens=ImageTokens(patch_px=28, fixed=16),
    max_tokens=32_768,  # inference.py
    context_tokens=131_072,  # max_position_embeddings of its config.json
    markdown=(
        _LAYOUT,
        replace(_LAYOUT, name="layout-warm", temperature=0.3),  # ours
        replace(_TEXT, less=True),
    ),
    plain=(_TEXT, replace(_TEXT, name="text-warm", temperature=0.3)),
    licence="MIT, with its makers' agreement beside it",
)
