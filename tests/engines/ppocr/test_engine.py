"""The whole engine with its real models."""

import threading
import time

import cv2
import numpy as np
import pytest

from benchmarks.score import character_error
from ocr_grpc.engines.engine import Engine, PageImage, ReadCancelled, ReadOptions
from ocr_grpc.engines.ppocr import PpOcrEngine
from ocr_grpc.engines.ppocr.pixels import Pixels
from ocr_grpc.model import Line, Separator, joined

from .sheets import NOBODY, PROSE, drawn, paragraph, read, words

pytestmark = pytest.mark.engine


@pytest.fixture(scope="session")
def onnxruntime_engine() -> PpOcrEngine:
    return PpOcrEngine.load(backend="onnxruntime")


@pytest.fixture(scope="session")
def full_precision_engine() -> PpOcrEngine:
    pytest.importorskip("openvino")
    return PpOcrEngine.load(backend="openvino", precision="f32")


@pytest.mark.parametrize("dpi", [150, 200])
@pytest.mark.parametrize("font", ["Helvetica", "Times-Roman", "Courier"])
def test_a_paragraph_is_read_without_an_error(engine: Engine, dpi: float, font: str):
    page = drawn(paragraph(PROSE), dpi=dpi, font=font)
    assert words(read(engine, page)) == " ".join(PROSE)


def test_six_points_and_twenty_four_on_one_page_are_both_read(engine: Engine):
    page = drawn([(30, 50, "A large heading", 24), *paragraph(PROSE, y=80, points=6)])
    assert words(read(engine, page)) == "A large heading " + " ".join(PROSE)


def test_accents_and_signs_of_french_and_german_are_read(engine: Engine):
    lines = (
        "Größe und Maße der Öfen: 45 € – süß, übel, Äpfel & Straße",
        "L’œuvre à côté du château « très naïve » coûte déjà 30 €",
    )
    found = read(engine, drawn(paragraph(lines, points=12)))
    assert character_error(" ".join(lines), words(found)) < 0.02


def test_two_columns_are_read_one_after_the_other(engine: Engine):
    left = tuple(line[:30] for line in PROSE)
    right = tuple(line[-30:] for line in PROSE)
    page = drawn([*paragraph(left), *paragraph(right, x=220)], size=(420, 200))
    assert character_error(" ".join(left + right), words(read(engine, page))) < 0.01


def test_a_table_is_read_by_rows_with_its_cells_parted_by_spaces(engine: Engine):
    rows = [("Item", "Count", "Price"), ("Lamp", "12", "3.50"), ("Rope", "7", "18.25")]
    cells = [
        (30 + 120 * column, 40 + 20 * place, text, 10)
        for place, row in enumerate(rows)
        for column, text in enumerate(row)
    ]
    lines = read(engine, drawn(cells))
    assert " ".join(joined(lines).split("\n")) == "Item Count Price Lamp 12 3.50 Rope 7 18.25"


def test_hyphens_that_begin_items_of_a_list_are_read(engine: Engine):
    items = ("- the first item of a list", "- the second item of a list")
    texts = [(30, 40 + 20 * place, item[0], 11) for place, item in enumerate(items)]
    texts += [(48, 40 + 20 * place, item[2:], 11) for place, item in enumerate(items)]
    assert words(read(engine, drawn(texts))) == " ".join(items)


def test_the_first_line_comes_long_before_the_last(engine: Engine):
    page = drawn(paragraph(PROSE * 6), size=(420, 560))
    began, first = time.process_time(), 0.0
    lines: list[Line] = []
    for batch in engine.read(PageImage(page), ReadOptions(), NOBODY):
        first = first or time.process_time() - began
        lines += batch
    assert first < 0.5 * (time.process_time() - began)
    assert lines[0].separator is Separator.NONE
    assert all(line.separator is not Separator.NONE for line in lines[1:])


def test_a_line_says_where_it_stands(engine: Engine):
    (line,) = read(engine, drawn([(72, 72, "Somewhere", 12)], dpi=144))
    left, top = line.polygon[0].x, line.polygon[0].y
    right, bottom = line.polygon[2].x, line.polygon[2].y
    assert left == pytest.approx(144, abs=12)
    assert right == pytest.approx(144 + 2 * 61, abs=14)
    assert top < 124 < 146 < bottom < 165
    assert 0.9 < line.confidence <= 1.0


def test_a_long_page_loses_and_doubles_no_line(engine: Engine):
    lines = tuple(f"Line {number} of the scroll" for number in range(1, 201))
    page = drawn(paragraph(lines, points=12), size=(300, 3180))
    assert page.shape[0] > 6600
    assert words(read(engine, page)) == " ".join(lines)


@pytest.mark.parametrize("dpi", [100, 300])
def test_turned_pages_are_read(engine: Engine, dpi: float):
    page = drawn(paragraph(PROSE, points=12), dpi=dpi)
    for quarters in (1, 2, 3):
        assert words(read(engine, np.rot90(page, quarters))) == " ".join(PROSE)


TABLE = [
    (30 + 120 * column, 40 + 20 * row, text, 10)
    for row, cells in enumerate(
        [("Item", "Count", "Price"), ("Lamp", "12", "3.50"), ("Rope", "7", "18.25")]
        + [(f"Jar {number}", str(number * 37), f"{number}.75") for number in range(1, 10)]
    )
    for column, text in enumerate(cells)
]


@pytest.mark.parametrize("angle", [-5, 5])
def test_rows_of_a_skewed_table_stay_together(engine: Engine, angle: float):
    page = drawn(TABLE)
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    skewed = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255,))
    lines = read(engine, np.asarray(skewed, np.uint8))
    assert words(lines) == " ".join(cell[2] for cell in TABLE)
    # Where the lines stand is told on the page as it came.
    first, last = lines[0].polygon[0], lines[2].polygon[0]
    assert (first.y > last.y) is (angle > 0)


def test_a_stamp_across_a_page_that_lies_on_its_side_does_not_hide_its_print(engine: Engine):
    page = drawn(TABLE, size=(420, 340))
    stamp = drawn([(10, 30, "RECEIVED 3 MAY", 24)], size=(340, 40))
    page[:, : stamp.shape[0]] = np.minimum(page[:, : stamp.shape[0]], np.rot90(stamp))
    for quarters in (0, 1):
        found = words(read(engine, np.rot90(page, quarters)))
        assert {cell[2] for cell in TABLE if " " not in cell[2]} <= set(found.split())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda page: 255 - page, id="light on dark"),
        pytest.param(lambda page: np.repeat(page[:, :, None], 3, axis=2), id="RGB"),
        pytest.param(lambda page: (page // 12 + 220).astype(np.uint8), id="faint"),
    ],
)
def test_other_looks_of_the_same_page_read_the_same(engine: Engine, change):
    assert words(read(engine, change(drawn(paragraph(PROSE))))) == " ".join(PROSE)


def test_pixels_may_be_read_only(engine: Engine):
    page = drawn([(30, 40, "Read only", 12)])
    page.setflags(write=False)
    assert words(read(engine, page)) == "Read only"


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_page_yields_nothing(engine: Engine, level: int):
    assert read(engine, np.full((1200, 900), level, np.uint8)) == []


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (5, 3000), (3000, 5), (1, 1, 3), (31, 33)])
def test_pages_of_odd_sizes_do_no_harm(engine: Engine, shape: tuple[int, ...]):
    noise = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    assert len(read(engine, noise)) <= 3


SOON = 8.0
"""Seconds. An idle machine needs a tenth of one; all of `huge` takes several times as long."""


def huge() -> Pixels:
    part = drawn(paragraph(PROSE * 6), size=(420, 560))
    return np.tile(part, (7, 6))


@pytest.mark.parametrize("delay_seconds", [0.0, 0.2, 1.5])
def test_a_cancelled_read_ends_soon(engine: Engine, delay_seconds: float):
    assert latency(engine, huge(), delay_seconds) < SOON


def latency(engine: Engine, page: Pixels, delay_seconds: float) -> float:
    """Return how long a read went on after it was cancelled."""
    stop = threading.Event()
    when: list[float] = []

    def cancel() -> None:
        when.append(time.monotonic())
        stop.set()

    timer = threading.Timer(delay_seconds, cancel)
    timer.start()
    with pytest.raises(ReadCancelled):
        for _ in engine.read(PageImage(page), ReadOptions(), stop):
            pass
    timer.join()
    return time.monotonic() - when[0]


def test_an_engine_reads_on_after_a_cancelled_read(engine: Engine):
    latency(engine, huge(), 0.3)
    assert words(read(engine, drawn([(30, 40, "Still here", 12)]))) == "Still here"


def test_it_says_what_it_is(engine: Engine):
    description = engine.describe()
    assert description.model == "PP-OCRv6 small"
    assert {"de", "en", "fr", "ja", "zh-Hans", "zh-Hant"} <= set(description.languages)
    assert "ru" not in description.languages


def test_onnx_runtime_reads_the_same(engine: Engine, onnxruntime_engine: Engine):
    page = drawn(paragraph(PROSE))
    other = onnxruntime_engine.describe()
    assert other.backend.startswith("onnxruntime ")
    assert other.precision == "f32"
    assert words(read(onnxruntime_engine, page)) == words(read(engine, page))


def test_onnx_runtime_ends_soon_too(onnxruntime_engine: Engine):
    assert latency(onnxruntime_engine, huge(), 0.6) < SOON


def test_full_precision_is_told(full_precision_engine: PpOcrEngine):
    assert full_precision_engine.describe().precision == "f32"


MIXED = (
    *paragraph(PROSE[:2], points=6),
    *paragraph(PROSE[2:4], y=80, points=10, x=30),
    *paragraph(("Größe der Öfen: 45 €", "à côté, très naïve"), y=130, points=13),
    *((30 + 70 * column, 190, f"{column}7.{column}5", 9) for column in range(5)),
)


@pytest.mark.parametrize("languages", [(), ("en", "de", "fr")])
@pytest.mark.parametrize("name", ["engine", "full_precision_engine", "onnxruntime_engine"])
def test_no_runtime_precision_or_alphabet_costs_more_than_a_few_characters(
    request: pytest.FixtureRequest, name: str, languages: tuple[str, ...]
):
    engine: PpOcrEngine = request.getfixturevalue(name)
    options = ReadOptions(languages)
    assert engine.alphabet(options) == ("latin" if languages else "full")
    expected = " ".join(text for _, _, text, _ in MIXED)
    found = words(read(engine, drawn(list(MIXED)), options))
    assert character_error(expected, found) < 0.02


def test_a_precision_the_runtime_lacks_is_refused():
    with pytest.raises(ValueError, match="f32"):
        PpOcrEngine.load(backend="onnxruntime", precision="bf16")
