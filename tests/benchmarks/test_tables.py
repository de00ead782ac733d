import pytest

from benchmarks.readers import Result
from benchmarks.samples import Sample
from benchmarks.tables import rows, table

SAMPLES = [
    Sample("first", ["small"], "abcd", "eng", 150, ["first.npy"]),
    Sample("second", ["small", "table"], "one two", "eng", 150, ["second-1.npy", "second-2.npy"]),
]


def result(name: str, text: str, pages: int, cpu_seconds: float) -> Result:
    return Result(name, text, pages, cpu_seconds, wall_seconds=1.0, first_line_share=0.5)


def test_cost_is_by_page_and_error_by_sample():
    ours = [result("first", "abcx", 1, 1.0), result("second", "one two", 2, 5.0)]
    peer = [result("first", "abcd", 1, 4.0), result("second", "two one", 2, 8.0)]
    found = {
        (row.group, row.engine): row for row in rows(SAMPLES, {"ours": ours, "tesseract": peer})
    }
    assert set(found) == {(g, e) for g in ("all", "small", "table") for e in ("ours", "tesseract")}
    everything = found["all", "ours"]
    assert (everything.pages, everything.cpu_seconds) == (3, 2.0)
    assert everything.times_ours == 1.0
    assert (everything.error_mean, everything.error_max) == (0.125, 0.25)
    assert found["all", "tesseract"].times_ours == pytest.approx(2.0)
    # Words in the wrong order: an error by characters, none by words.
    assert found["table", "tesseract"].error_mean > 0.5
    assert found["table", "tesseract"].word_f1 == 1.0


def test_without_our_engine_there_is_no_ratio():
    peer = [result("first", "abcd", 1, 4.0), result("second", "one two", 2, 8.0)]
    found = rows(SAMPLES, {"rapidocr": peer})
    assert all(row.times_ours is None for row in found)
    lines = table(found).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].startswith("| group | pages | engine")
