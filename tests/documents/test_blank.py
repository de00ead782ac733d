"""What counts as a blank page, on pages made of paper, noise, shadows and the faintest of ink."""

import io
import time

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ocr_grpc.documents.blank import is_blank, reduction, shrunk

DPI = (100, 200)


def looks_blank(page: Image.Image, dpi: float) -> bool:
    factor = reduction(page.width, page.height, dpi)
    return is_blank(shrunk(page, factor), dpi / factor)


def paper(dpi: float, shade: int = 240) -> Image.Image:
    """Return an empty sheet of A4."""
    return Image.new("L", (round(8.27 * dpi), round(11.69 * dpi)), shade)


def changed(page: Image.Image, by: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(page) + by, 0, 255).astype(np.uint8))


def noisy(page: Image.Image, deviation: float) -> Image.Image:
    shape = (page.height, page.width)
    return changed(page, np.random.default_rng(7).normal(0, deviation, shape))


def compressed(page: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    page.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("L")


def written(
    page: Image.Image, words: str, points: float, dpi: float, shade: int, at: tuple = (0.5, 0.9)
) -> Image.Image:
    page = page.copy()
    place = (page.width * at[0], page.height * at[1])
    font = ImageFont.load_default(size=points * dpi / 72)
    ImageDraw.Draw(page).text(place, words, fill=shade, font=font)
    return page


def shadowed(page: Image.Image) -> Image.Image:
    """Darken the left and the lower edge, as a lid that does not close does."""
    wide = page.width // 40
    shadow = np.zeros((page.height, page.width))
    shadow[:, :wide] -= np.linspace(150, 0, wide)
    shadow[-wide // 2 :] -= np.linspace(0, 90, len(shadow[-wide // 2 :]))[:, None]
    return changed(page, shadow)


def punched(page: Image.Image, dpi: float) -> Image.Image:
    page = page.copy()
    radius, left = 3 / 25.4 * dpi, 12 / 25.4 * dpi
    for y in (0.35 * page.height, 0.62 * page.height):
        ImageDraw.Draw(page).ellipse((left - radius, y - radius, left + radius, y + radius), 30)
    return page


def gradient(page: Image.Image) -> Image.Image:
    across, down = np.linspace(0, 40, page.width), np.linspace(0, 20, page.height)
    return changed(page, -across - down[:, None])


def printed_through(page: Image.Image, dpi: float) -> Image.Image:
    """Show the text of the other side of thin paper: mirrored, blurred, hardly darker."""
    behind = paper(dpi, 255)
    for row in range(30):
        behind = written(behind, "Several words", 10, dpi, 0, (0.1, 0.1 + 0.025 * row))
    behind = behind.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    behind = behind.filter(ImageFilter.GaussianBlur(dpi / 60))
    return changed(page, (np.asarray(behind).astype(float) - 255) / 255 * 5)


def dusty(page: Image.Image, dpi: float) -> Image.Image:
    page = page.copy()
    for x, y in ((0.2, 0.3), (0.7, 0.1), (0.4, 0.8), (0.9, 0.6)):
        left, top, wide = x * page.width, y * page.height, 0.3 / 25.4 * dpi
        ImageDraw.Draw(page).ellipse((left, top, left + wide, top + wide), 60)
    return page


def dotted(page: Image.Image, dpi: float) -> Image.Image:
    """Print one line with a head of nine needles, whose dots do not touch."""
    page, words = page.copy(), Image.new("1", (40, 9), 0)
    ImageDraw.Draw(words).text((0, -2), "Total 12", fill=1)
    pitch = 0.35 / 25.4 * dpi
    for row, column in np.argwhere(np.asarray(words)).tolist():
        x, y = 0.3 * page.width + column * pitch, 0.4 * page.height + row * pitch
        ImageDraw.Draw(page).ellipse((x, y, x + 0.7 * pitch, y + 0.7 * pitch), 150)
    return page


def pencilled(page: Image.Image, dpi: float, shade: int) -> Image.Image:
    page, step = page.copy(), dpi / 72
    wave = [(page.width * 0.4 + 2 * step * n, 300 + 8 * step * float(np.sin(n))) for n in range(20)]
    ImageDraw.Draw(page).line(wave, fill=shade, width=max(1, round(0.5 * step)))
    return page


@pytest.mark.parametrize("dpi", DPI)
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(lambda dpi: paper(dpi, 255), id="white"),
        pytest.param(lambda dpi: paper(dpi, 200), id="grey"),
        pytest.param(lambda dpi: paper(dpi, 10), id="black"),
        pytest.param(lambda dpi: noisy(paper(dpi), 4), id="noise"),
        pytest.param(lambda dpi: compressed(noisy(paper(dpi), 5), 60), id="noise in a JPEG"),
        pytest.param(lambda dpi: shadowed(noisy(paper(dpi), 3)), id="shadows"),
        pytest.param(lambda dpi: gradient(noisy(paper(dpi), 2)), id="gradient"),
        pytest.param(lambda dpi: punched(noisy(paper(dpi), 3), dpi), id="punch holes"),
        pytest.param(lambda dpi: dusty(noisy(paper(dpi), 3), dpi), id="dust"),
        pytest.param(lambda dpi: printed_through(noisy(paper(dpi), 2), dpi), id="other side"),
    ],
)
def test_paper_is_blank(page, dpi: float):
    assert looks_blank(page(dpi), dpi)


@pytest.mark.parametrize("dpi", DPI)
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(lambda dpi: written(paper(dpi), "7", 6, dpi, 190), id="a faint digit of 6 pt"),
        pytest.param(lambda dpi: written(paper(dpi), "1", 6, dpi, 150), id="the thinnest digit"),
        pytest.param(lambda dpi: noisy(written(paper(dpi), "7", 6, dpi, 120), 4), id="in noise"),
        pytest.param(lambda dpi: compressed(written(paper(dpi), "7", 6, dpi, 150), 50), id="JPEG"),
        pytest.param(lambda dpi: written(paper(dpi), "12", 8, dpi, 90, (0.5, 0.985)), id="at edge"),
        pytest.param(lambda dpi: dotted(paper(dpi), dpi), id="dots of a printer"),
        pytest.param(lambda dpi: pencilled(noisy(paper(dpi), 2), dpi, 205), id="pencil"),
        pytest.param(lambda dpi: noisy(written(paper(dpi), "PAID", 30, dpi, 222), 3), id="stamp"),
        pytest.param(
            lambda dpi: written(punched(noisy(paper(dpi), 3), dpi), "3", 6, dpi, 80),
            id="a digit beside holes",
        ),
        pytest.param(
            lambda dpi: written(shadowed(noisy(paper(dpi), 3)), "3", 6, dpi, 80),
            id="a digit beside shadows",
        ),
        pytest.param(lambda dpi: written(paper(dpi, 20), "3", 7, dpi, 120), id="light on dark"),
        pytest.param(lambda dpi: written(paper(dpi), "-", 12, dpi, 0), id="a dash"),
    ],
)
def test_the_least_ink_is_ink(page, dpi: float):
    assert not looks_blank(page(dpi), dpi)


def test_yellow_on_white_is_ink():
    page = Image.new("RGB", (827, 1169), "white")
    ImageDraw.Draw(page).text((300, 300), "marked", fill=(255, 255, 0), font_size=20)
    assert not looks_blank(page, 100)


@pytest.mark.parametrize("size", [(1, 1), (5, 3_000), (31, 31), (40, 20)])
def test_small_pictures_are_looked_at_too(size: tuple[int, int]):
    plain = Image.new("L", size, 230)
    assert looks_blank(plain, 0)
    if min(size) > 1:
        plain.paste(0, (0, 0, size[0] // 2, size[1] // 2))
        assert not looks_blank(plain, 0)


def test_where_noise_could_hide_ink_a_page_is_not_blank():
    assert not looks_blank(noisy(paper(100, 128), 25), 100)


def test_a_page_of_text_is_told_at_a_glance():
    page = paper(200)
    for row in range(60):
        page = written(page, "A line of text " * 5, 11, 200, 0, (0.1, 0.05 + 0.015 * row))
    began = time.process_time()
    for _ in range(5):
        assert not looks_blank(page, 200)
    assert (time.process_time() - began) / 5 < 0.1
