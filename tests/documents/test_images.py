from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.images import open_image
from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.samples import encoded, paper, png_bomb

MAX_PIXELS = 1_000_000
ORANGE = (255, 128, 0)


@pytest.fixture
def rendered(tmp_path: Path):
    def render(content: bytes, kind: str, page: int = 0) -> tuple[np.ndarray, float]:
        file = tmp_path / "document"
        file.write_bytes(content)
        image = open_image(file, DocumentKind[kind], MAX_PIXELS)
        spooled = tmp_path / f"page-{page}"
        answer = image.render(page, 0, spooled)
        image.close()
        shape = (answer["height"], answer["width"], answer["channels"])
        pixels = np.frombuffer(spooled.read_bytes(), np.uint8).reshape(shape)
        return pixels[:, :, 0] if shape[2] == 1 else pixels, answer["dpi"]

    return render


@pytest.fixture
def opened(tmp_path: Path):
    with ExitStack() as stack:

        def open_it(content: bytes, kind: str):
            file = tmp_path / "document"
            file.write_bytes(content)
            image = open_image(file, DocumentKind[kind], MAX_PIXELS)
            stack.callback(image.close)
            return image

        yield open_it


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_grey_picture_comes_out_as_it_went_in(rendered, kind: str):
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels, _ = rendered(encoded(paper(), kind, **options), kind)
    assert np.array_equal(pixels, np.asarray(paper()))


def test_a_jpeg_comes_out_nearly_as_it_went_in(rendered):
    pixels, _ = rendered(encoded(paper(), "JPEG", quality=95), "JPEG")
    assert np.abs(pixels.astype(int) - np.asarray(paper())).mean() < 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
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


def _corner(pixels: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    rows = slice(0, 100) if corner[0] == 0 else slice(-100, None)
    columns = slice(0, 100) if corner[1] == 0 else slice(-100, None)
    return pixels[rows, columns]


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
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
        image.render(0, 0, tmp_path / "page")
    assert refused.value.code is Failure.PAGE_TOO_LARGE
    assert refused.value.fields == {"width": 9_000, "height": 9_000}
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_too_large_is_not_even_opened(opened, tmp_path: Path, lossless: bool):
    image = opened(encoded(paper(1_500, 800), "WEBP", lossless=lossless), "WEBP")
    with pytest.raises(ReaderFailure) as refused:
        image.render(0, 0, tmp_path / "page")
    assert refused.value.fields == {"width": 1_500, "height": 800}


# Pillow warns before it raises; readers ignore that.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_a_truncated_picture_is_no_picture(opened, tmp_path: Path, kind: str):
    noise = Image.effect_noise((200, 200), 80)
    content = encoded(noise, kind)
    with pytest.raises(ReaderFailure) as refused:
        opened(content[: len(content) // 2], kind).render(0, 0, tmp_path / "page")
    assert refused.value.code in (Failure.CORRUPT, Failure.UNREADABLE_PAGE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_a_header_with_nothing_behind_it_is_corrupt(opened, tmp_path: Path, kind: str):
    with pytest.raises(ReaderFailure) as refused:
        opened(encoded(paper(), kind)[:12], kind)
    assert refused.value.code is Failure.CORRUPT


def test_what_sniffing_called_a_png_is_not_read_as_anything_else(opened, tmp_path: Path):
    with pytest.raises(ReaderFailure):
        opened(encoded(paper(), "BMP"), "PNG")


def test_an_existing_file_is_never_written_to(opened, tmp_path: Path):
    (tmp_path / "page").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        opened(encoded(paper()), "PNG").render(0, 0, tmp_path / "page")
    assert not (tmp_path / "elsewhere").exists()


def test_a_page_can_be_read_again(opened, tmp_path: Path):
    image = opened(encoded(paper()), "PNG")
    for name in ("first", "second"):
        image.render(0, 0, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
