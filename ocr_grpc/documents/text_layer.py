"""The text a PDF page carries itself: lines, their places, whether to believe it. Child only."""

import re
import unicodedata

from ocr_grpc.documents import reading_order
from ocr_grpc.documents.characters import UNSHOWN
from ocr_grpc.documents.geometry import POINTS_PER_INCH
from ocr_grpc.documents.pdfium import Page
from ocr_grpc.documents.pdfium_objects import Drawn
from ocr_grpc.documents.pdfium_text import PageText
from ocr_grpc.documents.protocol import MAX_PAGE_CHARACTERS, MAX_PAGE_LINES, TextAnswer
from ocr_grpc.documents.text_lines import Placement, Run, runs
from ocr_grpc.documents.usability import Evidence, why_unusable
from ocr_grpc.model import PageGeometry

_SAMPLED_CHARACTERS = 200
"""Questions that need a call each are asked of so many characters, spread over the page."""

_REMOVED = re.compile(f"[{UNSHOWN}]")
_SPACES = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_LIGATURES = re.compile("[\ufb00-\ufb06]")
_BULLETS = str.maketrans({"\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0fc": "✓"})
_STRENGTH = ("", " ", "\n", "\n\n")


def warm_up() -> None:
    """Load the tables that a first page needs."""
    unicodedata.normalize("NFC", "a\u0308")


def read(page: Page, drawn: Drawn, size: PageGeometry) -> TextAnswer:
    """Return the text of a page in reading order with its polygons in pixels of `size`."""
    with page.text() as text:
        characters = text.characters()
        if len(characters) > MAX_PAGE_CHARACTERS:
            return _answer(size, [], "too_long", blank=False)
        left, bottom, right, top = page.shown_box
        scale = size.dpi / POINTS_PER_INCH
        place = Placement(left, bottom, right, top, page.quarter_turns, scale)
        found = [run for run in runs(text, characters, place) if _is_shown(run, size)]
        because = why_unusable(_evidence(text, characters, found, place, drawn, size))
    lines = _lines(found)
    if len(lines) > MAX_PAGE_LINES:
        return _answer(size, [], "too_long", blank=False)
    return _answer(size, lines, because, blank=not drawn.anything)


def clean(text: str) -> str:
    """Return text in NFC with plain spaces, visible hyphens, and without control characters."""
    # Layout programs write the hyphen they print as a soft one, and pdfium its own mark.
    text = text.replace("\u00ad", "-").replace("\x02", "-").replace("\ufffe", "-")
    text = _REMOVED.sub("", text).translate(_BULLETS)
    text = _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def _lines(found: list[Run]) -> list[tuple[str, list[float], str]]:
    lines: list[tuple[str, list[float], str]] = []
    held = ""
    for run, separator in reading_order.ordered(found):
        # What a removed line would have been separated by still separates its neighbours.
        held = max(held, separator, key=_STRENGTH.index)
        cleaned = clean(run.text)
        if cleaned:
            corners = [round(number, 1) for number in run.frame.corners(run.box)]
            lines.append((cleaned, corners, held if lines else ""))
            held = ""
    return lines


def _is_shown(run: Run, size: PageGeometry) -> bool:
    """Whether it lies on the page at all: files carry text beyond the crop box."""
    corners = run.frame.corners(run.box)
    x, y = sum(corners[0::2]) / 4, sum(corners[1::2]) / 4
    return -1 <= x <= size.width_px + 1 and -1 <= y <= size.height_px + 1


def _evidence(
    text: PageText,
    characters: str,
    found: list[Run],
    place: Placement,
    drawn: Drawn,
    size: PageGeometry,
) -> Evidence:
    step = max(1, len(characters) // _SAMPLED_CHARACTERS)
    sample = [at for at in range(0, len(characters), step) if not characters[at].isspace()]
    unmapped = sum(text.maps_to_nothing(index) for index in sample)
    area = size.width_px * size.height_px
    covered = sum((run.box[2] - run.box[0]) * (run.box[3] - run.box[1]) for run in found)
    image_share = 0.0
    for image in drawn.images:
        x0, y0, x1, y1 = place.box((image.left, image.bottom, image.right, image.top))
        width = min(x1, size.width_px) - max(x0, 0.0)
        height = min(y1, size.height_px) - max(y0, 0.0)
        image_share += max(0.0, width) * max(0.0, height) / area
    # Only over a picture does it matter whether the text can be seen.
    invisible = image_share > 0.3 and sum(text.is_invisible(index) for index in sample) > (
        len(sample) / 2
    )
    shown = " ".join(run.text for run in found)
    return Evidence(
        shown.replace("\x02", "-").replace("\ufffe", "-"),
        unmapped / max(1, len(sample)),
        covered / area,
        image_share,
        invisible,
    )


def _answer(
    size: PageGeometry, lines: list[tuple[str, list[float], str]], because: str, *, blank: bool
) -> TextAnswer:
    return TextAnswer(
        width=size.width_px,
        height=size.height_px,
        dpi=size.dpi,
        usable=not because,
        because=because,
        blank=blank,
        lines=lines,
    )
