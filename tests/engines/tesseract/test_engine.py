"""The engine with the real program, and with programs that take its place and misbehave."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ocr_grpc.engines.catalog import EngineChoice, load_engine
from ocr_grpc.engines.engine import PageImage, ReadCancelled, ReadOptions
from ocr_grpc.engines.tesseract.engine import TesseractEngine
from ocr_grpc.engines.tesseract.program import TesseractFailed, find_tesseract
from ocr_grpc.model import Separator
from tests.engines.tesseract.conftest import page, read

RUSSIAN = ["Съешь ещё этих мягких", "французских булок, да выпей чаю."]
BLANK = PageImage(np.full((100, 80), 255, np.uint8), 200.0)
WORD = r"5\t1\t1\t1\t1\t1\t1\t2\t3\t4\t90\t"
WAIT_SECONDS = 60


def wait_until(condition) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def telling_its_pid(folder: Path) -> str:
    """Return a line of shell that names a folder after its process: it may write no file."""
    return f"mkdir {folder}/pid-$$"


def told_pid(folder: Path) -> int:
    """Return that process id, once it is there."""
    wait_until(lambda: list(folder.glob("pid-*")))
    return int(next(folder.glob("pid-*")).name.removeprefix("pid-"))


def test_cyrillic_text_is_read(engine):
    lines = read(engine, page(*RUSSIAN), "ru")
    assert " ".join(line.text for line in lines) == " ".join(RUSSIAN)
    assert lines[0].separator is Separator.NONE
    assert all(line.confidence > 0.8 for line in lines)
    assert engine.alphabet(ReadOptions(("ru",))) == "rus"


def test_the_script_is_found_where_nobody_names_a_language(engine):
    lines = read(engine, page(*RUSSIAN * 4))
    assert lines[0].text == RUSSIAN[0]
    assert "rus" in engine.alphabet(ReadOptions()).split("+")


def test_words_come_with_their_places(engine):
    (line,) = read(engine, page("Съешь ещё булок"), "ru", words=True)
    assert [word.text for word in line.words] == ["Съешь", "ещё", "булок"]
    lefts = [word.polygon[0].x for word in line.words]
    assert lefts == sorted(lefts)
    assert lefts[0] == line.polygon[0].x == pytest.approx(62, abs=6)
    assert line.polygon[0].y == pytest.approx(48, abs=10)


def test_several_languages_on_one_page(engine):
    lines = read(
        engine, page("Съешь ещё этих булок", "Sphinx of black quartz, judge"), "ru", "en-GB"
    )
    texts = [line.text for line in lines]
    assert texts == ["Съешь ещё этих булок", "Sphinx of black quartz, judge"]


def test_a_blank_page_has_no_lines(engine):
    assert read(engine, BLANK, "ru") == []
    assert read(engine, BLANK) == []


def test_a_page_longer_than_tesseract_takes_is_read_to_its_end(engine):
    ends = [page(text).pixels[:, :600] for text in ("Начало этой страницы", "Конец этой страницы")]
    between = np.full((33_000, 600), 255, np.uint8)
    whole = np.concatenate([ends[0], between, ends[1]])
    first, last = read(engine, PageImage(whole, 200.0), "ru")
    assert (first.text, last.text) == ("Начало этой страницы", "Конец этой страницы")
    assert last.separator is Separator.BLOCK
    assert last.polygon[0].y == pytest.approx(33_000 + first.polygon[0].y + 160, abs=6)


def test_the_program_describes_itself(fake):
    loaded = load_engine(EngineChoice("tesseract", binary=str(fake("exit 1"))))
    described = loaded.describe()
    assert (described.name, described.model_version) == ("tesseract", "9.8.7")
    assert described.languages == ("en", "ru")
    assert described.gives_words


@pytest.mark.parametrize(
    ("dpi", "languages", "arguments"),
    [
        (150.0, ("ru", "en"), "1 stdin stdout -l rus+eng --psm 3 --dpi 150 tsv"),
        (0.0, ("ru",), "1 stdin stdout -l rus --psm 3 tsv"),
        (9000.0, (), "1 stdin stdout -l eng --psm 3 tsv"),
    ],
)
def test_what_the_program_is_asked(fake, dpi, languages, arguments):
    said = f"printf '{WORD}%s' \"$OMP_THREAD_LIMIT $*\""
    (line,) = read(TesseractEngine.load(str(fake(said))), PageImage(BLANK.pixels, dpi), *languages)
    assert line.text == arguments


def test_the_program_runs_within_limits(fake):
    limits = f"printf '{WORD}%s,%s,%s,%s' $(ulimit -v) $(ulimit -t) $(ulimit -c) $(ulimit -f)"
    (line,) = read(TesseractEngine.load(str(fake(limits))), BLANK, "en")
    assert line.text == f"{2 * 1024 * 1024},900,0,0"


def test_the_program_knows_nothing_of_our_environment(fake, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "hidden")
    engine = TesseractEngine.load(str(fake(f"printf '{WORD}'; env | tr '\\n' ' '")))
    (line,) = read(engine, BLANK, "en")
    assert "OMP_THREAD_LIMIT=1" in line.text
    assert "hidden" not in line.text


def test_an_error_of_the_program_is_told_without_its_words(fake, capfd):
    engine = TesseractEngine.load(str(fake("echo the secret text >&2; exit 3")))
    with pytest.raises(TesseractFailed, match="exit code 3") as failed:
        read(engine, BLANK, "en")
    assert "secret" not in str(failed.value)
    assert "secret" not in "".join(capfd.readouterr())


def test_a_program_that_writes_without_end_is_stopped(fake):
    engine = TesseractEngine.load(str(fake("exec yes")))
    with pytest.raises(TesseractFailed, match="far more"):
        read(engine, BLANK, "en")


@pytest.mark.parametrize("do", ["exec sleep 1000", "exec 1>&-; exec sleep 1000"])
def test_a_cancelled_page_kills_the_program(fake, tmp_path, do):
    engine = TesseractEngine.load(str(fake(f"{telling_its_pid(tmp_path)}\n{do}")))
    cancellation, ended = threading.Event(), []

    def work() -> None:
        try:
            list(engine.read(BLANK, ReadOptions(("en",)), cancellation))
        except ReadCancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    pid = told_pid(tmp_path)
    assert runs(pid)
    cancellation.set()
    thread.join(WAIT_SECONDS)
    assert ended == ["cancelled"]
    assert not runs(pid)


def test_the_program_dies_with_its_worker(fake, tmp_path):
    program = fake(f"{telling_its_pid(tmp_path)}\nexec sleep 1000")
    code = (
        "import sys, threading, numpy\n"
        "from ocr_grpc.engines.engine import PageImage, ReadOptions\n"
        "from ocr_grpc.engines.tesseract.engine import TesseractEngine\n"
        "page = PageImage(numpy.zeros((9, 9), numpy.uint8))\n"
        "engine = TesseractEngine.load(sys.argv[1])\n"
        "list(engine.read(page, ReadOptions(('en',)), threading.Event()))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(program)]) as worker:
        try:
            pid = told_pid(tmp_path)
        finally:
            worker.send_signal(signal.SIGKILL)
    wait_until(lambda: not runs(pid))


def test_a_machine_without_the_program_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tesseract() is None
    with pytest.raises(FileNotFoundError, match="not installed"):
        TesseractEngine.load()


def test_a_setting_that_names_no_program_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="TESSERACT_BINARY"):
        find_tesseract(tmp_path / "none")


def test_a_program_that_is_something_else_is_refused():
    with pytest.raises(TesseractFailed):
        TesseractEngine.load("/bin/true")


def test_data_for_no_language_is_not_enough(tmp_path):
    program = tmp_path / "tesseract"
    program.write_text('#!/bin/sh\necho "tesseract 5.0"\necho osd\n')
    os.chmod(program, 0o755)  # noqa: PTH101 - as in a shell
    with pytest.raises(TesseractFailed, match="no data"):
        TesseractEngine.load(str(program))
