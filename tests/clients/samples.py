"""Documents that the tests of the clients send, and what is in them."""

import json
from pathlib import Path

import numpy as np

from tests.support import image_pdf, picture, text_pdf

LARGE_BYTES = 50_000_000
LONG_PAGES = 24


def write_samples(folder: Path) -> None:
    """Write documents into a folder.

    scan.pdf: three pages of pixels, no text layer; `expected.json` has their lines.
    long.pdf: the same kind with many pages, to be cut off in the middle.
    text.pdf: two pages with a text layer.
    large.pdf: one page with a text layer, and 50 MB.
    """
    lines = [[f"Invoice {page}0815", f"Total {page}99.50 EUR"] for page in (1, 2, 3)]
    (folder / "scan.pdf").write_bytes(image_pdf([_page(each) for each in lines]))
    (folder / "expected.json").write_text(json.dumps(lines))
    long = [_page([f"Chapter {number}", "It was a dark night."]) for number in range(LONG_PAGES)]
    (folder / "long.pdf").write_bytes(image_pdf(long))
    (folder / "text.pdf").write_bytes(text_pdf(2))
    small = text_pdf(1)
    noise = np.random.default_rng(1).bytes(LARGE_BYTES - len(small) - 1)
    (folder / "large.pdf").write_bytes(small + b"%" + noise)


def _page(lines: list[str]):
    return picture(lines, size=(800, 400))
