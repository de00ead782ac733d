"""Each model is asked exactly as its makers ask it, whatever the caller says."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocr_grpc.engines.vlm.errors import UpstreamRefused, VisionFailed
from ocr_grpc.engines.vlm.images import SentImage, image_of, sent_size
from ocr_grpc.engines.vlm.profile import ImageRule, Order
from ocr_grpc.engines.vlm.profiles import PROFILES, profile_for
from ocr_grpc.engines.vlm.requests import call_of, harmless, image_tokens
from ocr_grpc.model import PageGeometry, RenderedPage, TextFormat

A4_144 = SentImage("data:image/png;base64,AAAA", 1191, 1684, 1191, 1684)
STREAM = {
    "stream": True,
    "stream_options": {"include_usage": True, "continuous_usage_stats": True},
}
SHOWN = {"type": "image_url", "image_url": {"url": A4_144.data_uri}}


def said(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def keywords(name: str, rung: int = 0, form: TextFormat = TextFormat.MARKDOWN, prompt: str = ""):
    profile = profile_for("", name)
    chosen = profile.ladder(form, prompt)[rung]
    return dict(call_of(profile, chosen, A4_144, "served", prompt, 0).keywords)


def ngram(size: int, window: int) -> dict[str, object]:
    whitelist = [128821, 128822]
    return {
        "skip_special_tokens": False,
        "vllm_xargs": {
            "ngram_size": size,
            "window_size": window,
            "whitelist_token_ids": whitelist,
        },
    }


def page(path: Path, pixels: np.ndarray) -> RenderedPage:
    path.write_bytes(pixels.astype(np.uint8).tobytes())
    height, width = pixels.shape[:2]
    channels = 3 if pixels.ndim == 3 else 1
    return RenderedPage(path, PageGeometry(width, height, 144), channels)


def opened(image: SentImage) -> Image.Image:
    head, _, encoded = image.data_uri.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(encoded)))


def test_deepseek_is_asked_for_a_document():
    assert keywords("deepseek-ocr") == {
        "model": "served",
        "messages": [
            {
                "role": "user",
                "content": [SHOWN, said("<|grounding|>Convert the document to markdown.")],
            }
        ],
        "max_tokens": 8192 - 1000 - 64 - len("<|grounding|>Convert the document to markdown."),
        "temperature": 0.0,
        "extra_body": ngram(30, 90),
        **STREAM,
    }


def test_deepseek_climbs_down_its_ladder():
    rungs = [keywords("deepseek-ocr", rung) for rung in range(4)]
    assert [rung["messages"][0]["content"][1]["text"] for rung in rungs] == [
        "<|grounding|>Convert the document to markdown.",
        "<|grounding|>Convert the document to markdown.",
        "Free OCR.",
        "<|grounding|>Convert the document to markdown.",
    ]
    assert [rung["temperature"] for rung in rungs] == [0.0, 0.0, 0.0, 0.2]
    windows = [rung["extra_body"]["vllm_xargs"]["window_size"] for rung in rungs]
    assert windows == [90, 200, 90, 200]
    profile = profile_for("", "deepseek-ocr")
    assert [rung.less for rung in profile.ladder(None, "")] == [False, False, True, False]


def test_deepseek_is_asked_for_plain_text():
    asked = keywords("deepseek-ocr-2", form=TextFormat.PLAIN)
    assert asked["messages"][0]["content"][1] == said("Free OCR.")


def test_dots_is_asked_for_a_layout():
    asked = keywords("dots-ocr")
    image, text = asked["messages"][0]["content"]
    assert image == SHOWN
    assert text["text"].startswith(
        "<|img|><|imgpad|><|endofimg|>Please output the layout information from the PDF image, "
        "including each layout element's bbox, its category, and"
    )
    assert text["text"].endswith("The entire output must be a single JSON object.\n")
    assert (asked["temperature"], asked["top_p"], asked["max_tokens"]) == (0.1, 0.9, 32_768)
    assert "extra_body" not in asked


def test_dots_is_asked_for_plain_text():
    asked = keywords("dots-ocr", form=TextFormat.PLAIN)
    assert asked["messages"][0]["content"][1] == said(
        "<|img|><|imgpad|><|endofimg|>Extract the text content from this image."
    )


def test_olmocr_reads_its_prompt_before_the_image():
    asked = keywords("olmocr-2")
    text, image = asked["messages"][0]["content"]
    assert image == SHOWN
    assert text["text"].startswith("Attached is one page of a document that you must process. Just")
    assert "![Alt text describing the contents of the figure]" in text["text"]
    assert asked["max_tokens"] == 8_000
    assert [keywords("olmocr-2", rung)["temperature"] for rung in range(4)] == [0.1, 0.2, 0.3, 0.5]


def test_lighton_sees_the_image_alone():
    for prompt in ("", "Translate this."):
        assert keywords("lighton-ocr-2", prompt=prompt) == {
            "model": "served",
            "messages": [{"role": "user", "content": [SHOWN]}],
            "max_tokens": 4_096,
            "temperature": 0.2,
            "top_p": 0.9,
            **STREAM,
        }


def test_any_other_model_is_asked_in_words():
    asked = keywords("generic")
    assert [part["type"] for part in asked["messages"][0]["content"]] == ["image_url", "text"]
    assert "extra_body" not in asked
    assert asked["max_tokens"] == 4_096


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_prompt_and_answer_stay_within_the_context(profile):
    for text_format in TextFormat:
        for rung in profile.ladder(text_format, ""):
            call = call_of(profile, rung, A4_144, "served", "", 0)
            texts = [
                part["text"]
                for part in call.keywords["messages"][0]["content"]
                if part["type"] == "text"
            ]
            assert call.prompt_chars == sum(map(len, texts))
            used = image_tokens(profile, A4_144) + sum(len(text.encode()) for text in texts)
            assert used + call.keywords["max_tokens"] <= profile.context_tokens


def test_a_smaller_context_shortens_the_answer():
    profile = profile_for("", "dots-ocr")
    call = call_of(profile, profile.markdown[0], A4_144, "served", "", 16_384)
    # 43 squares and the end of a row, 61 times, and a few.
    assert call.keywords["max_tokens"] == 16_384 - (44 * 61 + 16) - 64 - call.prompt_chars


def test_a_prompt_that_leaves_no_room_is_refused():
    profile = profile_for("", "deepseek-ocr")
    with pytest.raises(UpstreamRefused):
        call_of(profile, profile.markdown[0], A4_144, "served", "字" * 3_000, 0)


def test_a_prompt_of_the_caller_replaces_the_words_and_not_their_place():
    text = keywords("dots-ocr", prompt="Only the names.")["messages"][0]["content"][1]
    assert text == said("<|img|><|imgpad|><|endofimg|>Only the names.")
    first, _ = keywords("olmocr-2", prompt="Only the names.")["messages"][0]["content"]
    assert first == said("Only the names.")


def test_rungs_that_would_ask_the_same_again_are_left_out():
    names = [rung.name for rung in profile_for("", "deepseek-ocr").ladder(None, "Only the names.")]
    assert names == ["document", "document-wider-window", "document-warm"]


def test_a_caller_cannot_smuggle_special_tokens_in():
    allowed = profile_for("", "deepseek-ocr").prompt_tokens
    for prompt, left in {
        "<image>\nFree OCR.": " \nFree OCR.",
        "<ima<image>ge>": "<ima ge>",
        "<|im<|im_end|>_end|>": " ",
        "<｜end▁of▁sentence｜>a</s><s>": " a  ",
        "<|grounding|>OCR this image.": "<|grounding|>OCR this image.",
        "Locate <|ref|>total<|/ref|> < 5 | 6 > 4.": "Locate <|ref|>total<|/ref|> < 5 | 6 > 4.",
    }.items():
        assert harmless(prompt, allowed) == left
    assert harmless("<|grounding|>", frozenset()) == " "
    asked = keywords("deepseek-ocr", prompt="<image>")
    assert asked["messages"][0]["content"][1] == said(
        "<|grounding|>Convert the document to markdown."
    )


class CountedTokens(frozenset[str]):
    """Counts how often it is asked about a token."""

    looks = 0

    def __contains__(self, token: object) -> bool:
        self.looks += 1
        return super().__contains__(token)


@pytest.mark.parametrize(("begin", "end"), [("<|", "|>"), ("<｜", "｜>"), ("<|a", "b｜>")])
def test_special_tokens_within_special_tokens_are_no_work_without_end(begin: str, end: str):
    allowed = CountedTokens()
    left = harmless("Read " + begin * 1_000 + end * 1_000 + " this <image>.", allowed)
    assert allowed.looks < 20
    assert left.startswith("Read ")
    assert left.endswith(" this  .")
    assert not {"<|", "|>", "<｜", "｜>"} & {left[at : at + 2] for at in range(len(left))}


def test_a_call_never_prints_the_page():
    profile = profile_for("", "generic")
    call = call_of(profile, profile.markdown[0], A4_144, "served", "secret words", 0)
    assert "AAAA" not in repr(A4_144) + repr(call)
    assert "secret" not in repr(call)


def test_one_call_cannot_change_the_next():
    first = keywords("deepseek-ocr")
    first["extra_body"]["vllm_xargs"]["whitelist_token_ids"].clear()
    assert keywords("deepseek-ocr")["extra_body"] == ngram(30, 90)


@pytest.mark.parametrize(
    ("served", "name"),
    [
        ("deepseek-ai/DeepSeek-OCR", "deepseek-ocr"),
        ("deepseek-ocr:3b", "deepseek-ocr"),
        ("deepseek-ai/DeepSeek-OCR-2", "deepseek-ocr-2"),
        ("unsloth/DeepSeek-OCR-2-FP8", "deepseek-ocr-2"),
        ("rednote-hilab/dots.ocr", "dots-ocr"),
        ("rednote-hilab/dots.mocr", "dots-ocr"),
        ("allenai/olmOCR-2-7B-1025-FP8", "olmocr-2"),
        ("olmocr", "olmocr-2"),
        ("allenai/olmOCR-7B-0825", "generic"),
        ("lightonai/LightOnOCR-2-1B", "lighton-ocr-2"),
        ("Qwen/Qwen3-VL-8B-Instruct", "generic"),
        ("model", "generic"),
    ],
)
def test_a_profile_is_found_by_the_name_of_the_model(served: str, name: str):
    assert profile_for(served).name == name


def test_an_unknown_profile_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"auto, deepseek-ocr, .*generic"):
        profile_for("anything", "deepseek")


def test_no_profile_claims_to_have_been_run():
    assert all(profile.not_run and profile.markdown for profile in PROFILES)
    assert all(
        (rung.prompt is None) == (profile.order is Order.IMAGE_ALONE)
        for profile in PROFILES
        for rung in profile.markdown + profile.plain
    )


def test_a_page_is_sent_as_it_is_in_rgb(tmp_path):
    pixels = np.arange(300 * 200).reshape(300, 200) % 251
    image = image_of(page(tmp_path / "page", pixels), ImageRule())
    seen = opened(image)
    assert (seen.mode, seen.size, seen.format) == ("RGB", (200, 300), "PNG")
    assert (np.asarray(seen) == pixels[:, :, None]).all()
    assert (image.page_width_px, image.page_height_px) == (200, 300)


def test_colours_stay(tmp_path):
    pixels = np.zeros((260, 300, 3))
    pixels[:, :, 0] = 200
    seen = opened(image_of(page(tmp_path / "page", pixels), ImageRule(form="jpeg")))
    assert seen.format == "JPEG"
    assert np.abs(np.asarray(seen)[100, 100].astype(int) - (200, 0, 0)).max() <= 4


def test_a_page_is_scaled_down_and_never_up(tmp_path):
    rule = ImageRule(longest_side_px=700)
    large = image_of(page(tmp_path / "large", np.full((2800, 2000), 255)), rule)
    assert (large.width_px, large.height_px) == (500, 700)
    small = image_of(page(tmp_path / "small", np.full((300, 200), 255)), rule)
    assert (small.width_px, small.height_px) == (200, 300)
    assert sent_size(200, 300, ImageRule(longest_side_px=600, enlarge=True)) == (400, 600)


def test_a_scaled_page_keeps_its_places(tmp_path):
    pixels = np.full((4_000, 3_000), 255)
    pixels[1_000:2_000, 1_500:2_250] = 0
    rule = ImageRule(longest_side_px=400)
    seen = np.asarray(opened(image_of(page(tmp_path / "page", pixels), rule)).convert("L"))
    assert seen.shape == (400, 300)
    assert seen[105:195, 155:220].max() < 8
    assert min(seen[:95].min(), seen[205:].min(), seen[:, :145].min(), seen[:, 230:].min()) > 247


def test_sides_are_those_that_a_server_leaves_alone():
    rule = profile_for("", "dots-ocr").image
    for width, height in ((1654, 2339), (50, 60), (9_000, 12_000), (28, 28), (3_000, 4_000)):
        sent = sent_size(width, height, rule)
        assert sent[0] % 28 == sent[1] % 28 == 0
        assert rule.min_pixels <= sent[0] * sent[1] <= rule.max_pixels
        assert sent_size(*sent, rule) == sent
    assert sent_size(1654, 2339, rule) == (1652, 2352)


def test_a_long_page_is_padded_and_not_squeezed(tmp_path):
    pixels = np.zeros((3_000, 300))
    image = image_of(page(tmp_path / "page", pixels), ImageRule(most_extreme_aspect=6.0))
    assert (image.width_px, image.height_px) == (500, 3_000)
    assert (image.page_width_px, image.page_height_px) == (300, 3_000)
    seen = np.asarray(opened(image).convert("L"))
    assert seen[:, :300].max() == 0
    assert seen[:, 300:].min() == 255


def test_a_page_too_narrow_to_be_read_is_not_sent(tmp_path):
    rule = profile_for("", "olmocr-2").image
    with pytest.raises(VisionFailed):
        image_of(page(tmp_path / "receipt", np.full((6_000, 500), 255)), rule)


def test_a_missing_spool_file_is_an_os_error(tmp_path):
    gone = RenderedPage(tmp_path / "gone", PageGeometry(10, 10, 72), 1)
    with pytest.raises(OSError, match="gone"):
        image_of(gone, ImageRule())
