"""DeepSeek-OCR and DeepSeek-OCR-2.

Sources: vllm-project/recipes, models/deepseek-ai/DeepSeek-OCR.yaml and DeepSeek-OCR-2.yaml;
vllm-project/vllm, vllm/model_executor/models/deepseek_ocr.py and
vllm/transformers_utils/processors/deepseek_ocr.py; deepseek-ai/DeepSeek-OCR,
DeepSeek-OCR-vllm/config.py and run_dpsk_ocr_pdf.py.
"""

import re
from dataclasses import replace

from ocr_grpc.engines.vlm.profile import BoxSpace, ImageRule, ImageTokens, Order, Profile, Rung
from ocr_grpc.model import TextFormat

# <td> and </td>: cells of a table may be alike (recipes).
WHITELIST = (128821, 128822)


def _extra_body(ngram_size: int, window_size: int) -> dict[str, object]:
    """Return what vLLM's NGramPerReqLogitsProcessor wants to know.

    The tags in the answer are special tokens, so none may be skipped. As a string the whitelist
    passes the server's check and does nothing (vllm#28035).
    """
    return {
        "skip_special_tokens": False,
        "vllm_xargs": {
            "ngram_size": ngram_size,
            "window_size": window_size,
            "whitelist_token_ids": list(WHITELIST),
        },
    }


# 30 and 90: recipes. The window sees repetition of up to 60 tokens, so a wider one for the second
# try sees paragraphs; 200 is our own choice.
_USUAL = _extra_body(30, 90)
_WIDER = _extra_body(30, 200)

# Wording matters (ollama#13168): both prompts are exactly those of config.py.
_DOCUMENT = Rung(
    name="document",
    prompt="<|grounding|>Convert the document to markdown.",
    grammar="grounded",
    text_format=TextFormat.MARKDOWN,
    temperature=0.0,  # recipes
    extra_body=_USUAL,
)
_FREE = Rung(
    name="free",
    prompt="Free OCR.",
    grammar="grounded",
    text_format=TextFormat.PLAIN,
    temperature=0.0,
    extra_body=_USUAL,
)

DEEPSEEK_OCR = Profile(
    name="deepseek-ocr",
    title="DeepSeek-OCR",
    served_as=re.compile(r"deepseek[-_ .]?ocr(?![-_ .]?\d)", re.IGNORECASE),
    order=Order.IMAGE_FIRST,
    image=ImageRule(
        dpi=144,  # run_dpsk_ocr_pdf.py
        # Six tiles of 640 × 640 are the most vLLM cuts (count_tiles, MAX_CROPS): more is scaled
        # away there. The bound leaves an A4 page of 200 dpi as it is.
        max_pixels=4_000_000,
        # Tiles are cut without keeping the aspect, from 1 × 6 to 6 × 1 of them.
        most_extreme_aspect=6.0,
    ),
    boxes=BoxSpace.GRID_999,  # run_dpsk_ocr_pdf.py: x / 999 * width
    # 273 for the whole, up to 660 for its tiles; the rest is for what we do not know of.
    image_tokens=ImageTokens(fixed=1_000),
    max_tokens=8_192,  # offline recipe; what fits beside the image is less
    context_tokens=8_192,  # recipes
    prompt_tokens=frozenset({"<|grounding|>", "<|ref|>", "<|/ref|>"}),
    markdown=(
        _DOCUMENT,
        replace(_DOCUMENT, name="document-wider-window", extra_body=_WIDER),
        replace(_FREE, less=True),
        # Warmer than the makers ever ask it to be: what is left before another engine.
        replace(_DOCUMENT, name="document-warm", temperature=0.2, extra_body=_WIDER),
    ),
    plain=(
        _FREE,
        replace(_FREE, name="free-wider-window", extra_body=_WIDER),
        replace(_FREE, name="free-warm", temperature=0.2, extra_body=_WIDER),
    ),
    licence="MIT",
)

# It documents these two prompts alone. The whole takes 256 tokens, each of up to six tiles of
# 768 × 768 another 144 (deepseek_ocr2 in vllm-project/vllm).
DEEPSEEK_OCR_2 = replace(
    DEEPSEEK_OCR,
    name="deepseek-ocr-2",
    title="DeepSeek-OCR-2",
    served_as=re.compile(r"deepseek[-_ .]?ocr[-_ .]?2", re.IGNORECASE),
    image_tokens=ImageTokens(fixed=1_200),
    licence="Apache-2.0",
)
