"""The commands about batches against a real server process, as people and scripts use them."""

import io
import json
import zipfile

import pytest

from tests.commands.running import run_command
from tests.processes import serve
from tests.support import NO_DOCUMENT, encoded, image_pdf, picture, text_pdf

NULL_TEXT = "null line 1\nnull line 2\nnull line 3\nnull line 4"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    settings = {"READERS": "1", "OFFICE_READERS": "1", "BATCHES_IN_SERVE": "true"}
    with serve(tmp_path_factory.mktemp("batches"), **settings) as (_, address):
        yield address


@pytest.fixture(scope="module")
def batch(address, tmp_path_factory):
    """Return what runs `ocr-grpc batch` against the server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OCR_ADDRESS", address)
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield lambda *words: run_command("batch", *words)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Make a folder of a scan, a long PDF and, one folder below, a text and what cannot be read."""
    folder = tmp_path_factory.mktemp("papers")
    (folder / "scan.png").write_bytes(encoded(picture()))
    (folder / "long.pdf").write_bytes(text_pdf(20, 30))
    (folder / "below").mkdir()
    (folder / "below" / "scans.pdf").write_bytes(image_pdf([picture()] * 2))
    (folder / "below" / "program").write_bytes(NO_DOCUMENT)
    return folder


@pytest.fixture(scope="module")
def finished(batch, papers):
    """Return the id of a batch that has ended: of the scan and the long document."""
    ran = batch("create", str(papers), "--watch", "--name", "two")
    assert ran.code == 0, ran.stderr
    return ran.stdout.strip()


def test_a_folder_goes_in_and_a_folder_of_texts_comes_out(batch, papers, tmp_path):
    out = tmp_path / "out"
    ran = batch("create", str(papers), "-r", "--output", str(out), "--mode", "auto")
    assert ran.code == 3, "one of them cannot be read"
    assert "program\tfailed\t0/0\tUNKNOWN_FORMAT: " in ran.stderr
    assert "3 of 4 documents read, 1 failed, 23 of 23 pages read" in ran.stderr
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert files == ["below/scans.txt", "long.txt", "scan.txt"]
    assert (out / "scan.txt").read_text().strip() == NULL_TEXT
    assert (out / "below" / "scans.txt").read_text().count("\f") == 1
    pages = (out / "long.txt").read_text().split("\f")
    assert len(pages) == 20
    assert pages[17].strip().startswith("Page 18, line 0: the quick brown fox.")


def test_markdown_and_json_have_their_endings(batch, papers, tmp_path):
    for form, name in (("json", "scan.json"), ("markdown", "scan.md")):
        words = ("--output", str(tmp_path / form), "--format", form)
        assert batch("create", str(papers / "scan.png"), *words).code == 0
        assert (tmp_path / form / name).stat().st_size
    whole = json.loads((tmp_path / "json" / "scan.json").read_text())
    assert [page["page_number"] for page in whole["pages"]] == [1]


def test_the_id_alone_is_printed_so_that_scripts_can_take_it(batch, papers):
    ran = batch("create", str(papers / "scan.png"))
    assert ran.code == 0
    batch_id = ran.stdout.strip()
    assert ran.stdout == f"{batch_id}\n"
    assert ran.stderr == ""
    watched = batch("watch", batch_id)
    assert watched.code == 0
    assert watched.stdout == "1\tscan.png\tfinished\t1/1\n"


def test_the_same_request_id_again_makes_no_second_batch(batch, papers):
    words = ("create", str(papers / "scan.png"), "--request-id", "scan of today")
    first, second = batch(*words[:3], "scan/today"), batch(*words[:3], "scan/today")
    assert first.stdout == second.stdout
    assert first.stdout


def test_watch_prints_every_event_as_a_line_of_json(batch, finished):
    lines = batch("watch", finished, "--json").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert "finished" in events[-1]
    last = batch("watch", finished, "--json", "--after", str(len(events) - 1)).stdout
    assert json.loads(last) == events[-1]


def test_list_and_show_tell_how_far_it_is(batch, finished):
    listed = batch("list").stdout.splitlines()
    assert listed[0].split("\t")[:3] == ["ID", "NAME", "STATE"]
    newest = next(line.split("\t") for line in listed if line.startswith(finished))
    assert newest[:6] == [finished, "two", "finished", "2/2", "21/21", ""]
    shown = batch("show", finished).stdout
    assert "pages charged\t21" in shown
    assert "\tlong.pdf\tfinished\tpdf\t20/20" in shown
    whole = json.loads(batch("show", finished, "--json").stdout)
    assert whole["batch"]["progress"]["pages_ok"] == 21
    assert [each["file_name"] for each in whole["documents"]] == ["long.pdf", "scan.png"]


def test_download_writes_an_archive_or_prints_one_document(batch, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = batch("download", finished, "--format", "text")
    assert ran.code == 0, ran.stderr
    content = (tmp_path / f"{finished}.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        texts = [name for name in archive.namelist() if name.endswith(".txt")]
    assert len(texts) == 2
    assert batch("download", finished).code == 1, "the archive is there already"
    assert batch("download", finished, "--force").code == 0
    printed = batch("download", finished, "--document", "2")
    assert printed.stdout.strip() == NULL_TEXT
    missing = batch("download", finished, "--document", "3")
    assert missing.code == 1
    assert "DOCUMENT_NOT_FOUND" in missing.stderr


def test_cancel_and_delete_say_what_became_of_it(batch, finished):
    ran = batch("cancel", finished)
    assert ran.code == 0
    assert "2 of 2 documents read" in ran.stderr
    assert batch("delete", finished).code == 0
    gone = batch("show", finished)
    assert gone.code == 1
    assert "(BATCH_NOT_FOUND)" in gone.stderr


@pytest.mark.parametrize("words", [["watch"], ["show"], ["cancel"], ["delete"], ["download"]])
def test_a_batch_that_is_not_there_is_told_with_its_reason(batch, words):
    ran = batch(*words, "0" * 24)
    assert ran.code == 1
    assert "(BATCH_NOT_FOUND)" in ran.stderr
    assert ran.stdout == ""
