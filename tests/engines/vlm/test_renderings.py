"""A page may be shown otherwise than it is: turned, with a margin, as a smaller file."""

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocr_grpc.engines.vlm.errors import VisionFailed
from ocr_grpc.engines.vlm.images import MAX_ENCODED_BYTES, SentImage, image_of
from ocr_grpc.engines.vlm.profile import ImageRule
from ocr_grpc.engines.vlm.renderings import Rendering, shown
from ocr_grpc.model import PageGeometry, RenderedPage

WIDTH, HEIGHT = 300, 200


def page(path, pixels: np.ndarray) -> RenderedPage:
    pixels.astype(np.uint8).tofile(path)
    channels = 3 if pixels.ndim == 3 else 1
    return RenderedPage(path, PageGeometry(pixels.shape[1], pixels.shape[0], 144), channels)


def opened(image: SentImage) -> np.ndarray:
    encoded = base64.b64decode(image.data_uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("L"))


@pytest.fixture
def corner(tmp_path) -> RenderedPage:
    """A page of mid-grey whose top left corner is black."""
    pixels = np.full((HEIGHT, WIDTH), 128)
    pixels[:50, :50] = 0
    return page(tmp_path / "page", pixels)


@pytest.mark.parametrize("margin", [False, True])
@pytest.mark.parametrize(
    ("turn_degrees", "black"),
    [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))],
)
def test_a_page_is_turned_clockwise_and_white_added_behind_it(corner, turn_degrees, black, margin):
    seen = shown(corner, ImageRule(), Rendering(turn_degrees, margin))
    pixels = opened(seen.image)
    lies = turn_degrees in (90, 270)
    width, height = (HEIGHT, WIDTH) if lies else (WIDTH, HEIGHT)
    full = (384, 320) if margin else (WIDTH, HEIGHT)
    full = full[::-1] if lies else full
    assert (seen.geometry.width_px, seen.geometry.height_px) == full
    assert (seen.image.page_width_px, seen.image.page_height_px) == full
    assert pixels.shape == full[::-1]
    own = pixels[:height, :width]
    assert own[black] == 0
    assert (own == 0).sum() == 50 * 50
    assert (own != 255).all()
    assert (pixels == 255).sum() == pixels.size - WIDTH * HEIGHT


def test_a_page_is_scaled_with_its_margin(corner):
    seen = shown(corner, ImageRule(longest_side_px=192, least_side_px=1), Rendering(margin=True))
    pixels = opened(seen.image)
    assert pixels.shape == (160, 192)
    assert (pixels[:100, :150] < 200).all()
    assert (pixels[101:] == 255).all()
    assert (pixels[:, 151:] == 255).all()


@pytest.mark.parametrize("rendering", [Rendering(90), Rendering(margin=True)])
def test_no_file_is_written(corner, rendering):
    """A full disk would end the server by a signal if pixels were mapped to a file there."""
    with corner.path.open("rb") as file:
        nowhere = RenderedPage(Path(f"/dev/fd/{file.fileno()}"), corner.geometry, 1)
        assert shown(nowhere, ImageRule(), rendering).image.data_uri


@pytest.mark.parametrize("size_bytes", [None, 10], ids=["gone", "cut"])
def test_pixels_that_are_gone_are_no_surprise(corner, size_bytes):
    if size_bytes is None:
        corner.path.unlink()
    else:
        os.truncate(corner.path, size_bytes)
    with pytest.raises(VisionFailed) as failed:
        shown(corner, ImageRule(), Rendering())
    assert str(corner.path) not in repr(failed.value)


def test_grain_is_sent_in_fewer_bytes(tmp_path):
    grain = np.random.default_rng(7).integers(0, 256, (1_800, 1_800, 3), np.uint8)
    sent = image_of(page(tmp_path / "grain", grain), ImageRule(form="png"))
    assert sent.data_uri.startswith("data:image/jpeg")
    assert len(sent.data_uri) < MAX_ENCODED_BYTES * 4 / 3 + 100
    assert (sent.width_px, sent.height_px) == (1_800, 1_800)
