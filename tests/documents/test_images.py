import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.images import open_image, warm_up
from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.conftest import opening
from tests.documents.heif import HEVC_PAPER, heif
from tests.documents.samples import encoded, paper, png_bomb, spooled

MAX_PIXELS = 1_000_000
ORANGE = (255, 128, 0)
KINDS = ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG_2000"]


@pytest.fixture(scope="module", autouse=True)
def _codecs():
    with warnings.catch_warnings():
        warm_up()


@pytest.fixture
def opened(tmp_path: Path):
    with ExitStack() as stack:

        def open_it(content: bytes, kind: str, max_pixels: int = MAX_PIXELS):
            file = tmp_path / "document"
            file.write_bytes(content)
            source = stack.enter_context(file.open("rb"))
            image = open_image(opening(source, DocumentKind[kind], max_page_pixels=max_pixels))
            stack.callback(image.close)
            return image

        yield open_it


@pytest.fixture
def rendered(opened, tmp_path: Path):
    def render(content: bytes, kind: str, page: int = 0) -> tuple[np.ndarray, float]:
        answer, written = spooled(opened(content, kind), tmp_path / "page", page)
        shape = (answer["height"], answer["width"], answer["channels"])
        pixels = np.frombuffer(written, np.uint8).reshape(shape)
        return pixels[:, :, 0] if shape[2] == 1 else pixels, answer["dpi"]

    return render


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_grey_picture_comes_out_as_it_went_in(rendered, kind: str):
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels, _ = rendered(encoded(paper(), kind, **options), kind)
    assert np.array_equal(pixels, np.asarray(paper()))


def test_a_jpeg_comes_out_nearly_as_it_went_in(rendered):
    pixels, _ = rendered(encoded(paper(), "JPEG", quality=95), "JPEG")
    assert np.abs(pixels.astype(int) - np.asarray(paper())).mean() < 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_coloured_picture_keeps_its_colour(rendered, kind: str):
    pixels, _ = rendered(encoded(Image.new("RGB", (64, 48), ORANGE), kind), kind)
    assert pixels.shape == (48, 64, 3)
    assert np.abs(pixels.reshape(-1, 3).mean(axis=0) - ORANGE).max() < 6


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr"])
def test_grey_in_any_pixel_format_is_one_channel(rendered, mode: str):
    grey = paper().convert("RGB")
    kind = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    pixels, _ = rendered(encoded(grey.convert(mode), kind), kind)
    assert pixels.shape == (300, 400)
    assert np.abs(pixels.astype(int) - np.asarray(paper())).mean() < 3


def test_cmyk_keeps_its_colour(rendered):
    pixels, _ = rendered(encoded(Image.new("CMYK", (20, 20), (0, 128, 255, 0)), "TIFF"), "TIFF")
    assert np.abs(pixels[0, 0].astype(int) - (255, 127, 0)).max() < 5


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_deep_grey_is_scaled_to_its_own_range(rendered, bits: int, kind: str):
    ramp = np.linspace(0, 2**bits - 1, 256).astype(np.uint16)
    picture = Image.fromarray(np.tile(ramp, (4, 1)))
    pixels, _ = rendered(encoded(picture, kind), kind)
    assert pixels.shape == (4, 256)
    assert np.abs(pixels[0].astype(int) - np.arange(256)).max() <= 1


def test_floating_grey_is_scaled(rendered):
    ramp = np.linspace(0, 1, 256, dtype=np.float32)
    pixels, _ = rendered(encoded(Image.fromarray(np.tile(ramp, (4, 1))), "TIFF"), "TIFF")
    assert np.abs(pixels[0].astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_white(rendered, mode: str):
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 20, 40))
    pixels, _ = rendered(encoded(picture.convert(mode)), "PNG")
    assert pixels[0, 0] == 0
    assert pixels[0, 39] == 255


def test_a_transparent_palette_colour_is_white(rendered):
    picture = Image.new("P", (10, 10), 0)
    picture.putpalette([0, 0, 0, 200, 0, 0])
    pixels, _ = rendered(encoded(picture, "GIF", transparency=0), "GIF")
    assert pixels[5, 5] == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_a_picture_is_shown_upright(opened, rendered, orientation: int, kind: str):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(paper(), kind, exif=exif)
    pixels, _ = rendered(content, kind)
    sideways = orientation >= 5
    assert pixels.shape == ((400, 300) if sideways else (300, 400))
    corners = {(0, 0): 1, (0, -1): 2, (-1, -1): 3, (-1, 0): 4}
    dark = min(corners, key=lambda corner: _corner(pixels, corner).mean())
    # Where the standard says the top left corner of the stored picture is to be shown.
    assert corners[dark] == {1: 1, 2: 2, 3: 3, 4: 4, 5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    geometry = opened(content, kind).text_layer(0, 0)
    assert (geometry["height"], geometry["width"]) == pixels.shape
    inspected = opened(content, kind).inspect(0, 0)
    assert (inspected["height"], inspected["width"]) == pixels.shape
    assert inspected["rotation"] == {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}.get(
        orientation, 0
    )


def _corner(pixels: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    rows = slice(0, 100) if corner[0] == 0 else slice(-100, None)
    columns = slice(0, 100) if corner[1] == 0 else slice(-100, None)
    return pixels[rows, columns]


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG", "AVIF"])
def test_every_frame_is_a_page(opened, rendered, kind: str):
    frames = [Image.new("L", (50, 40), shade) for shade in (10, 100, 200)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert opened(content, kind).page_count == 3
    shades = [int(rendered(content, kind, page)[0].mean()) for page in (2, 0, 1)]
    assert np.abs(np.array(shades) - (200, 10, 100)).max() <= 2


def test_frames_of_a_tiff_have_their_own_sizes(rendered):
    frames = [Image.new("L", (50, 40)), Image.new("L", (30, 20))]
    content = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert rendered(content, "TIFF", 1)[0].shape == (20, 30)


def test_one_frame_that_is_too_large_does_not_fail_the_others(opened, tmp_path: Path):
    frames = [Image.new("L", size) for size in ((50, 40), (2_000, 1_000), (30, 20))]
    image = opened(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]), "TIFF")
    with pytest.raises(ReaderFailure) as refused:
        spooled(image, tmp_path / "page", 1)
    assert refused.value.code is Failure.PAGE_TOO_LARGE
    assert spooled(image, tmp_path / "page", 2)[0]["height"] == 20


def test_a_phone_picture_with_a_preview_behind_it_is_one_page(opened, tmp_path: Path):
    content = encoded(paper(), "MPO", save_all=True, append_images=[paper(80, 60)])
    assert opened(content, "JPEG").page_count == 1


@pytest.mark.parametrize(("dpi", "expected"), [(300, 300), (10, 0), (9_000, 0)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_plausible_dpi_is_believed(rendered, kind: str, dpi: int, expected: int):
    _, found = rendered(encoded(paper(), kind, dpi=(dpi, dpi)), kind)
    assert round(found) == expected


def test_a_picture_that_does_not_say_has_no_dpi(rendered):
    assert rendered(encoded(paper()), "PNG")[1] == 0


def test_a_picture_too_large_is_refused_before_it_is_decoded(opened, tmp_path: Path):
    image = opened(png_bomb(9_000, 9_000), "PNG")
    with pytest.raises(ReaderFailure) as refused:
        spooled(image, tmp_path / "page")
    assert refused.value.code is Failure.PAGE_TOO_LARGE
    assert refused.value.fields == {"width": 9_000, "height": 9_000}


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_too_large_is_not_even_opened(opened, tmp_path: Path, lossless: bool):
    image = opened(encoded(paper(1_500, 800), "WEBP", lossless=lossless), "WEBP")
    with pytest.raises(ReaderFailure) as refused:
        spooled(image, tmp_path / "page")
    assert refused.value.fields == {"width": 1_500, "height": 800}


# Pillow warns before it raises; readers ignore that.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "AVIF", "HEIC"])
def test_a_truncated_picture_is_no_picture(opened, tmp_path: Path, kind: str):
    noise = Image.effect_noise((200, 200), 80)
    content = whole(kind, noise)
    with pytest.raises(ReaderFailure) as refused:
        spooled(opened(content[: len(content) // 2], kind), tmp_path / "page")
    assert refused.value.code in (Failure.CORRUPT, Failure.UNREADABLE_PAGE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [*KINDS, "HEIC"])
def test_a_header_with_nothing_behind_it_is_corrupt(opened, tmp_path: Path, kind: str):
    with pytest.raises(ReaderFailure) as refused:
        opened(whole(kind)[:12], kind)
    assert refused.value.code is Failure.CORRUPT


def test_what_sniffing_called_a_png_is_not_read_as_anything_else(opened, tmp_path: Path):
    with pytest.raises(ReaderFailure):
        opened(encoded(paper(), "BMP"), "PNG")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "AVIF"])
def test_a_page_can_be_read_again(opened, tmp_path: Path, kind: str):
    image = opened(encoded(paper(), kind), kind)
    first, second = (spooled(image, tmp_path / name) for name in ("first", "second"))
    assert first == second


def whole(kind: str, picture: Image.Image | None = None) -> bytes:
    """Return a file of any kind; only that of a HEIC does not show the picture."""
    return heif(HEVC_PAPER) if kind == "HEIC" else encoded(picture or paper(), kind)


def test_a_heic_is_read(rendered):
    pixels, dpi = rendered(heif(HEVC_PAPER), "HEIC")
    assert pixels.shape == (64, 96)
    assert pixels[15, 20] < 30
    assert pixels[50, 80] > 225
    assert dpi == 0


@pytest.mark.parametrize(("quarters", "corner"), [(0, 1), (1, 4), (2, 3), (3, 2)])
def test_a_heic_is_turned_once_whatever_its_exif_says(opened, rendered, quarters: int, corner: int):
    content = heif(HEVC_PAPER, quarters=quarters, orientation=6)
    pixels, _ = rendered(content, "HEIC")
    assert pixels.shape == ((96, 64) if quarters % 2 else (64, 96))
    # The dark bar of the stored picture is in its first corner, counted clockwise from top left.
    rows, columns = pixels.shape[0] // 4, pixels.shape[1] // 4
    shown = {1: (rows, columns), 2: (rows, -columns), 3: (-rows, -columns), 4: (-rows, columns)}
    assert [pixels[at] < 60 for at in shown.values()] == [n == corner for n in shown]
    inspected = opened(content, "HEIC").inspect(0, 0)
    assert inspected["rotation"] == -90 * quarters % 360
    assert (inspected["height"], inspected["width"]) == pixels.shape


def test_several_pictures_in_a_heic_are_frames_and_previews_are_not(opened, rendered):
    content = heif(HEVC_PAPER, HEVC_PAPER, HEVC_PAPER, previews=1)
    assert opened(content, "HEIC").page_count == 2
    assert rendered(content, "HEIC", 1)[0].shape == (64, 96)


def test_a_heic_too_large_is_refused_before_it_is_decoded(opened, tmp_path: Path):
    image = opened(heif(HEVC_PAPER, size=(20_000, 30_000)), "HEIC")
    with pytest.raises(ReaderFailure) as refused:
        spooled(image, tmp_path / "page")
    assert refused.value.code is Failure.PAGE_TOO_LARGE
    assert refused.value.fields == {"width": 20_000, "height": 30_000}


@pytest.mark.parametrize("size", [(8, 8), (900, 900)])
def test_a_heic_that_lies_about_its_size_does_no_harm(opened, tmp_path: Path, size):
    image = opened(heif(HEVC_PAPER, size=size), "HEIC", max_pixels=5_000)
    with pytest.raises(ReaderFailure) as refused:
        spooled(image, tmp_path / "page")
    assert refused.value.code in (Failure.PAGE_TOO_LARGE, Failure.UNREADABLE_PAGE)


@pytest.mark.parametrize("kind", ["AVIF", "JPEG_2000"])
def test_a_large_avif_or_jpeg_2000_is_refused_by_its_header(opened, tmp_path: Path, kind: str):
    image = opened(encoded(paper(1_500, 800), kind), kind)
    with pytest.raises(ReaderFailure) as refused:
        spooled(image, tmp_path / "page")
    assert refused.value.fields == {"width": 1_500, "height": 800}


def test_a_bare_jpeg_2000_codestream_is_read(rendered):
    content = encoded(paper(), "JPEG_2000", no_jp2=True)
    assert content.startswith(b"\xff\x4f\xff\x51")
    assert np.abs(rendered(content, "JPEG_2000")[0].astype(int) - np.asarray(paper())).max() < 3


def test_sixteen_bit_grey_in_jpeg_2000_is_scaled(rendered):
    ramp = np.tile(np.linspace(0, 65_535, 256).astype(np.uint16), (64, 1))
    pixels, _ = rendered(encoded(Image.fromarray(ramp), "JPEG_2000"), "JPEG_2000")
    assert np.abs(pixels[0].astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("kind", ["AVIF", "JPEG_2000"])
def test_transparency_of_newer_formats_is_white(rendered, kind: str):
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 32, 64))
    pixels, _ = rendered(encoded(picture, kind), kind)
    assert pixels[5, 5] < 5
    assert pixels[5, 60] > 250


@pytest.mark.parametrize("colour", [(0, 0, 0, 0), (0, 0, 0, 255), (0, 128, 255, 0)])
def test_a_printer_s_jpeg_is_not_shown_inverted(rendered, colour: tuple[int, ...]):
    # Adobe stores the ink inverted, and with it everybody else.
    content = encoded(Image.new("CMYK", (32, 32), colour), "JPEG", quality=95)
    assert b"Adobe" in content
    expected = np.asarray(Image.new("CMYK", (1, 1), colour).convert("RGB")).reshape(3)
    pixels, _ = rendered(content, "JPEG")
    assert np.abs(pixels[9, 9].astype(int) - expected).max() < 6


def test_a_jpeg_of_inks_as_luminance_is_read(rendered):
    # YCCK: the same four inks, the first three stored as luminance and colour.
    content = bytearray(encoded(Image.new("CMYK", (32, 32), (0, 0, 0, 0)), "JPEG", quality=95))
    content[content.index(b"Adobe") + 11] = 2
    assert rendered(bytes(content), "JPEG")[0].shape[:2] == (32, 32)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("1", {"compression": "group3"}),
        ("1", {"compression": "group4"}),
        ("L", {"compression": "jpeg", "quality": 95}),
        ("L", {"compression": "tiff_lzw"}),
        ("L", {"compression": "tiff_adobe_deflate"}),
        ("L", {"compression": "packbits"}),
        ("L", {"big_tiff": True}),
        ("LAB", {}),
        ("P", {}),
    ],
    ids=str,
)
def test_tiff_comes_in_many_ways(rendered, mode: str, options: dict):
    if mode == "LAB":
        plain = np.full((300, 400), 128, np.uint8)
        picture = Image.merge("LAB", [paper(), *[Image.fromarray(plain)] * 2])
    else:
        picture = paper().convert(mode)
    pixels, _ = rendered(encoded(picture, "TIFF", **options), "TIFF")
    assert np.abs(pixels.astype(int) - np.asarray(paper())).max() < 3


def test_an_inspected_picture_tells_its_size_in_points_if_its_resolution_is_known(opened):
    inspected = opened(encoded(paper(400, 300), dpi=(100, 100)), "PNG").inspect(0, 0)
    assert (inspected["width_pt"], inspected["height_pt"]) == pytest.approx((288, 216), abs=0.1)
    unknown = opened(encoded(paper(400, 300)), "PNG").inspect(0, 0)
    assert (unknown["width_pt"], unknown["height_pt"]) == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_blank_picture_is_told_from_others(opened, tmp_path: Path, kind: str):
    for picture, blank in ((Image.new("RGB", (400, 300), (240, 238, 230)), True), (paper(), False)):
        image = opened(encoded(picture, kind), kind)
        assert spooled(image, tmp_path / "page")[0]["blank"] is blank
        assert image.inspect(0, 0)["blank"] is blank
