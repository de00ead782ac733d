"""The documents an engine is measured on, with their reference texts, as arrays on disk.

The engines run in child processes and must all see the very same pixels, so each page is written
once as a `.npy` file, and `samples.json` says what belongs together.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from benchmarks.pages import pages, pixels, quick_pages

Pixels = NDArray[np.uint8]
FOLDER_DPI = 200
"""The resolution PDFs of a folder are rendered at."""
SUFFIXES = (".pdf", ".png", ".tif", ".tiff", ".jpg", ".jpeg")
# References of ../shared/corpus that are not named after their document, and what it is written in.
REFERENCES = {
    "skew": "linn.txt",
    "rotated_skew": "linn.txt",
    "phototest-rotated-180": "phototest.gold.txt",
    "phototest-rotated-L": "phototest.gold.txt",
    "phototest-rotated-R": "phototest.gold.txt",
}
LANGUAGES = {"eurotext": "eng+deu+fra"}
TESSERACT_LANGUAGES = {"en": "eng", "de": "deu", "fr": "fra", "mixed": "eng+deu+fra"}


@dataclass(frozen=True)
class Sample:
    """A document to read.

    Attributes:
        name: unique within a run.
        groups: what it is an example of; figures are given for each group.
        text: the reference.
        language: in Tesseract's code; other engines are not told.
        dpi: of all its pages; 0 if unknown.
        images: the `.npy` file of each page, uint8 grey or RGB.
    """

    name: str
    groups: list[str]
    text: str
    language: str
    dpi: float
    images: list[str]


def synthetic(
    folder: Path, resolutions: Iterable[int], group: str | None, quick: bool
) -> list[Sample]:
    """Write the synthetic pages, only those of `group` if it is given."""
    samples: list[Sample] = []
    for page in quick_pages() if quick else pages():
        if group and group not in page.groups:
            continue
        for dpi in resolutions:
            name, groups = f"{page.name}-{dpi}", [*page.groups, f"{dpi}dpi"]
            images = _written(folder, name, [pixels(page, dpi)])
            language = TESSERACT_LANGUAGES[page.language]
            samples.append(Sample(name, groups, page.text, language, dpi, images))
    return samples


def documents(folder: Path, source: Path) -> list[Sample]:
    """Write the pages of every document in `source` that has a reference text beside it."""
    samples: list[Sample] = []
    for document in sorted(source.iterdir()):
        reference = _reference(document)
        if document.suffix.lower() not in SUFFIXES or reference is None:
            continue
        text = reference.read_text(encoding="utf-8")
        name, language = document.name, LANGUAGES.get(document.stem, "eng")
        dpi, images = _opened(document)
        samples.append(Sample(name, [name], text, language, dpi, _written(folder, name, images)))
    return samples


def save(folder: Path, samples: list[Sample]) -> None:
    """Write `samples.json`."""
    text = json.dumps([asdict(sample) for sample in samples], ensure_ascii=False)
    (folder / "samples.json").write_text(text, encoding="utf-8")


def load(folder: Path) -> list[Sample]:
    """Read `samples.json`."""
    text = (folder / "samples.json").read_text(encoding="utf-8")
    return [Sample(**fields) for fields in json.loads(text)]


def _reference(document: Path) -> Path | None:
    """Return the reference text of a document: a known one, `NAME.txt` or `NAME.gold.txt`."""
    names = (REFERENCES.get(document.stem), f"{document.stem}.txt", f"{document.stem}.gold.txt")
    paths = (document.with_name(name) for name in names if name)
    return next((path for path in paths if path.is_file()), None)


def _opened(document: Path) -> tuple[float, Iterator[Pixels]]:
    """Return the resolution of a document and its pages, rendered or decoded one at a time."""
    if document.suffix.lower() == ".pdf":
        return FOLDER_DPI, _rendered(document)
    with Image.open(document) as image:
        dpi = float(image.info.get("dpi", (0, 0))[0])
    return dpi, _frames(document)


def _rendered(document: Path) -> Iterator[Pixels]:
    with pdfium.PdfDocument(document) as opened:
        for page in opened:
            bitmap = page.render(scale=FOLDER_DPI / 72, rev_byteorder=True)
            yield bitmap.to_numpy()[:, :, :3].copy()


def _frames(document: Path) -> Iterator[Pixels]:
    with Image.open(document) as image:
        for frame in ImageSequence.Iterator(image):
            # Transparent pixels of a palette or alpha image are paper, not ink.
            canvas = Image.new("RGBA", frame.size, "white")
            canvas.alpha_composite(frame.convert("RGBA"))
            yield np.array(canvas.convert("L" if frame.mode in ("1", "L") else "RGB"))


def _written(folder: Path, name: str, images: Iterable[Pixels]) -> list[str]:
    written: list[str] = []
    for number, image in enumerate(images, start=1):
        path = folder / f"{name}-p{number}.npy"
        np.save(path, image)
        written.append(path.name)
    return written
