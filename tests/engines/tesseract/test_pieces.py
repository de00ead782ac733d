import numpy as np

from ocr_grpc.engines.tesseract import pieces as module
from ocr_grpc.engines.tesseract.pieces import MAX_SIDE, as_file, pieces


def test_a_page_is_one_piece():
    pixels = np.zeros((300, 200, 3), np.uint8)
    (piece,) = pieces(pixels)
    assert (piece.left, piece.top) == (0, 0)
    assert piece.pixels.shape == pixels.shape


def test_an_endless_page_is_cut_between_its_lines():
    pixels = np.full((70_000, 20), 255, np.uint8)
    for top in range(0, 70_000, 50):
        pixels[top : top + 40] = np.arange(20) * 10
    found = list(pieces(pixels))
    assert [piece.left for piece in found] == [0, 0, 0]
    assert all(piece.pixels.shape[0] <= MAX_SIDE for piece in found)
    assert all(piece.top % 50 >= 40 for piece in found[1:])
    assert np.array_equal(np.concatenate([piece.pixels for piece in found]), pixels)


def test_an_endless_strip_is_cut_from_left_to_right():
    pixels = np.full((20, 40_000, 3), 255, np.uint8)
    pixels[:, :31_000, 0] = np.arange(20)[:, None]
    first, second = pieces(pixels)
    assert second.left > 31_000
    assert first.pixels.shape[1] + second.pixels.shape[1] == 40_000


def content(pixels: np.ndarray) -> bytes:
    with as_file(pixels) as file:
        return file.read()


def test_pixels_are_written_as_they_are():
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert content(grey) == b"P5\n3 2\n255\n" + bytes(range(6))
    colour = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert content(colour) == b"P6\n2 2\n255\n" + bytes(range(12))
    assert content(colour[:, ::-1]) == b"P6\n2 2\n255\n" + colour[:, ::-1].tobytes()


def test_a_huge_page_loses_its_colour():
    side = int(module.MAX_COLOUR_PIXELS**0.5) + 1
    assert content(np.zeros((side, side, 3), np.uint8)).startswith(b"P5")
