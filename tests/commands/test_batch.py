"""What the commands about batches do with files, and how they bear broken connections.

The server here breaks connections on purpose; test_batch_command.py has a real one.
"""

import json
import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path, PurePosixPath

import grpc
import pytest

from ocr_grpc.batches.errors import TooManyBatches
from ocr_grpc.cli import main
from ocr_grpc.commands.batch_link import Retries
from ocr_grpc.commands.batch_sources import find_sources, text_names
from ocr_grpc.commands.failure import CommandFailed
from ocr_grpc.rpc.errors import UploadTruncated
from ocr_grpc.rpc.status import DETAILS_KEY, status_of
from ocr_grpc.v1 import batch_pb2, ocr_service_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb
from ocr_grpc.v1.batch_service_pb2_grpc import (
    BatchServiceServicer,
    add_BatchServiceServicer_to_server,
)
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceServicer, add_OcrServiceServicer_to_server
from tests.commands.running import run_command

LARGE = b"x" * 300_000
"""More than goes inside a request, and more than one piece."""


@dataclass
class Fragile(BatchServiceServicer, OcrServiceServicer):
    """Takes batches of three documents, which are read at once, and loses each call once."""

    broken: Counter = field(default_factory=Counter)
    created: list[pb.CreateBatchRequest] = field(default_factory=list)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    asked_after: list[int] = field(default_factory=list)
    refused: str = ""
    failing: str = ""
    """The file name of documents that cannot be read."""
    full: list[int] = field(default_factory=list)
    """How many documents wait, at each attempt to make a batch that is refused for it."""
    watched: threading.Event = field(default_factory=threading.Event)
    in_turn: bool = False
    """Whether no second batch is made before the first is watched."""

    def GetCapabilities(self, request, context):  # noqa: N802 - the name in the proto
        limits = ocr_service_pb2.Limits(max_batch_documents=3, max_inline_bytes=2**20)
        return ocr_service_pb2.GetCapabilitiesResponse(limits=limits)

    def UploadDocument(self, request_iterator, context):  # noqa: N802 - the name in the proto
        first = next(request_iterator)
        self._refuse("upload", context)
        content = b"".join(request.content.data for request in request_iterator)
        assert len(content) == first.size_bytes
        self._break_once(f"upload {first.file_name}", context)
        self.uploads.append((first.file_name, content))
        document = batch_pb2.UploadedDocument(upload_id=f"upload-{len(self.uploads)}")
        return pb.UploadDocumentResponse(document=document)

    def DeleteUpload(self, request, context):  # noqa: N802 - the name in the proto
        self.deleted.append(request.upload_id)
        return pb.DeleteUploadResponse()

    def CreateBatch(self, request, context):  # noqa: N802 - the name in the proto
        self._refuse("batch", context)
        if self.full:
            error = TooManyBatches(3, self.full.pop(0))
            error.retry_after_seconds = 0.01
            self._end(error, grpc.StatusCode.RESOURCE_EXHAUSTED, context)
        ids = [each.request_id for each in self.created]
        if self.in_turn and ids and request.request_id not in ids and not self.watched.wait(60):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "Nobody watches the first.")
        if request.request_id not in ids:
            self.created.append(request)
            ids.append(request.request_id)
        self._break_once(f"create {request.request_id}", context)
        return pb.CreateBatchResponse(batch=self._batch(ids.index(request.request_id)))

    def GetBatch(self, request, context):  # noqa: N802 - the name in the proto
        return pb.GetBatchResponse(batch=self._batch(int(request.batch_id)))

    def WatchBatch(self, request, context):  # noqa: N802 - the name in the proto
        self.asked_after.append(request.after_sequence)
        self.watched.set()
        documents = list(self._documents(int(request.batch_id)))
        for sequence, document in enumerate(documents, start=1):
            if sequence > request.after_sequence:
                yield pb.WatchBatchResponse(sequence=sequence, document_finished=document)
                self._break_once(f"watch {sequence}", context)
        finished = self._batch(int(request.batch_id))
        yield pb.WatchBatchResponse(sequence=len(documents) + 1, finished=finished)

    def DownloadBatchDocument(self, request, context):  # noqa: N802 - the name in the proto
        yield pb.DownloadBatchDocumentResponse(content={"data": b"text of "})
        self._break_once(f"download {request.document_id}", context)
        yield pb.DownloadBatchDocumentResponse(content={"data": request.document_id.encode()})

    def _refuse(self, what, context):
        if what == self.refused:
            error = UploadTruncated("It is refused.", announced=1, received=2)
            self._end(error, grpc.StatusCode.INVALID_ARGUMENT, context)

    def _end(self, error, code, context):
        details = status_of(error).SerializeToString()
        context.set_trailing_metadata(((DETAILS_KEY, details),))
        context.abort(code, error.message)

    def _break_once(self, what, context):
        self.broken[what] += 1
        if self.broken[what] == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")

    def _documents(self, number):
        for place, document in enumerate(self.created[number].documents, start=1):
            failed = document.file_name == self.failing
            state = "DOCUMENT_STATE_FAILED" if failed else "DOCUMENT_STATE_FINISHED"
            yield batch_pb2.BatchDocument(
                document_id=f"{number}.{place}",
                batch_id=str(number),
                number=place,
                file_name=document.file_name,
                state=state,
                page_count=1,
                pages_ok=1,
                reason="UNKNOWN_FORMAT" if failed else "",
            )

    def _batch(self, number):
        states = [document.state for document in self._documents(number)]
        failed = states.count(batch_pb2.DOCUMENT_STATE_FAILED)
        return batch_pb2.Batch(
            batch_id=str(number),
            state=batch_pb2.BATCH_STATE_FINISHED,
            progress={"documents": len(states), "documents_failed": failed},
        )


@pytest.fixture
def service():
    return Fragile()


@pytest.fixture
def run(service, monkeypatch, tmp_path):
    """Return what runs `ocr-grpc batch` in this process, against the fragile server."""
    server = grpc.server(ThreadPoolExecutor(8))
    add_BatchServiceServicer_to_server(service, server)
    add_OcrServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OCR_ADDRESS", f"127.0.0.1:{port}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    yield lambda *words: run_command("batch", *words)
    server.stop(None).wait()


@pytest.fixture
def papers(tmp_path):
    """Make a folder with four files, one of them large, and one in a folder below."""
    folder = tmp_path / "papers"
    (folder / "more").mkdir(parents=True)
    for name in ("a.pdf", "b.pdf", "more/b.pdf"):
        (folder / name).write_bytes(name.encode())
    (folder / "large.pdf").write_bytes(LARGE)
    return folder


def names_of(sources):
    return [str(source.name) for source in sources]


def test_a_folder_is_its_files_and_with_recursive_those_below(papers):
    (papers / ".hidden").write_bytes(b"x")
    (papers / ".git").mkdir()
    (papers / ".git" / "config").write_bytes(b"x")
    (papers / "gone.pdf").symlink_to(papers / "nowhere")
    assert names_of(find_sources([str(papers)], recursive=False)) == ["a.pdf", "b.pdf", "large.pdf"]
    every = ["a.pdf", "b.pdf", "large.pdf", "more/b.pdf"]
    assert names_of(find_sources([str(papers)], recursive=True)) == every


def test_links_to_folders_are_not_followed_so_that_no_circle_has_no_end(papers):
    (papers / "more" / "up").symlink_to(papers)
    assert len(find_sources([str(papers)], recursive=True)) == 4


def test_empty_files_are_left_out_and_said_to_be(papers, capsys):
    (papers / "a.pdf").write_bytes(b"")
    assert names_of(find_sources([str(papers)], recursive=False)) == ["b.pdf", "large.pdf"]
    assert "a.pdf is empty" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["missing.pdf", "more/nothing"])
def test_a_file_that_is_not_there_is_named(papers, given):
    with pytest.raises(CommandFailed, match=f"{given}: No such file"):
        find_sources([str(papers / given)], recursive=False)


def test_texts_have_the_name_of_their_file_and_never_the_same():
    names = ["a/scan.pdf", "b.pdf", "b.png", "b.pdf", "b.pdf.txt", "noending"]
    found = text_names([PurePosixPath(name) for name in names], ".txt")
    assert [str(name) for name in found[:3]] == ["a/scan.txt", "b.pdf.txt", "b.png.txt"]
    assert str(found[-1]) == "noending.txt"
    assert len(set(found)) == len(names)


def test_a_folder_goes_in_and_its_texts_come_out_though_every_call_breaks_once(
    run, service, papers, tmp_path
):
    ran = run("create", str(papers), "-r", "--output", str(tmp_path / "out"), "--name", "all")
    assert ran.code == 0, ran.stderr
    # Three are the most this server takes in a batch.
    assert ran.stdout == "0\n1\n"
    assert [len(request.documents) for request in service.created] == [3, 1]
    assert {request.display_name for request in service.created} == {"all"}
    assert service.uploads == [("large.pdf", LARGE)]
    inline = [document.content for document in service.created[0].documents]
    assert inline == [b"a.pdf", b"b.pdf", b""]
    texts = {
        str(path.relative_to(tmp_path / "out")): path.read_text()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert texts == {
        "a.txt": "text of 0.1",
        "b.txt": "text of 0.2",
        "large.txt": "text of 0.3",
        "more/b.txt": "text of 1.1",
    }
    assert service.broken["download 0.1"] == 2


def test_a_broken_watch_goes_on_after_the_last_event_that_came(run, service, papers):
    run("create", str(papers))
    ran = run("watch", "0", "--json")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [event["sequence"] for event in events] == [1, 2, 3, 4]
    assert service.asked_after == [0, 1, 2, 3]
    assert ran.code == 0
    assert run("watch", "0", "--after", "2").stdout == "3\tlarge.pdf\tfinished\t1/1\n"


def test_what_was_not_read_is_said_and_changes_the_exit_code(run, service, papers):
    service.failing = "b.pdf"
    ran = run("create", str(papers), "--watch")
    assert ran.code == 3
    assert ran.stdout == "0\n"
    assert "2\tb.pdf\tfailed\t1/1\tUNKNOWN_FORMAT" in ran.stderr


def test_a_text_that_is_there_is_not_replaced_unless_forced(run, service, papers, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.txt").write_text("mine")
    words = ["create", str(papers), "--output", str(out)]
    ran = run(*words)
    assert ran.code == 1
    assert "b.txt is there already; --force replaces it" in ran.stderr
    assert service.created == []
    assert (out / "b.txt").read_text() == "mine"
    assert run(*words, "--force").code == 0
    assert (out / "b.txt").read_text() == "text of 0.2"


def test_no_text_is_written_outside_the_folder_through_a_link(run, papers, tmp_path):
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.mkdir()
    (out / "more").symlink_to(outside)
    ran = run("create", str(papers / "more"), str(papers), "-r", "--output", str(out))
    assert ran.code == 1
    assert "leads out of" in ran.stderr
    assert list(outside.iterdir()) == []


def test_uploads_for_a_batch_that_is_refused_are_deleted(run, service, papers):
    (papers / "a.pdf").write_bytes(LARGE)
    service.refused = "batch"
    ran = run("create", str(papers))
    assert ran.code == 1
    assert ran.stdout == ""
    assert sorted(service.deleted) == ["upload-1", "upload-2"]


def test_a_refused_upload_is_told_with_its_file_and_reason(run, service, papers):
    service.refused = "upload"
    ran = run("create", str(papers))
    assert ran.code == 1
    assert "large.pdf: It is refused. (UPLOAD_TRUNCATED)" in ran.stderr
    assert service.created == []


def test_batches_wait_until_others_of_the_same_user_have_ended(run, service, papers):
    service.full = [3, 2, 1]
    ran = run("create", str(papers / "a.pdf"))
    assert (ran.code, ran.stdout) == (0, "0\n")
    assert ran.stderr.count("goes on when some have ended") == 3


async def test_waiting_for_room_has_no_end_of_its_own():
    error = TooManyBatches(3, 3)
    error.retry_after_seconds = 0.01
    details = status_of(error).SerializeToString()
    trailing = grpc.aio.Metadata((DETAILS_KEY, details))
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    await Retries(patience_seconds=-1.0).wait(
        grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, error.message)
    )


def test_a_batch_that_never_fits_is_refused_at_once(run, service, papers):
    service.full = [0]
    ran = run("create", str(papers / "a.pdf"))
    assert ran.code == 1
    assert "(TOO_MANY_BATCHES)" in ran.stderr


@pytest.mark.parametrize("how", ["--watch", "--output"])
def test_a_batch_is_watched_while_the_next_is_made(run, service, papers, tmp_path, how):
    service.in_turn = True
    ran = run("create", str(papers), "-r", how, *([str(tmp_path / "out")] * (how == "--output")))
    assert (ran.code, ran.stdout) == (0, "0\n1\n"), ran.stderr


def test_a_request_id_that_is_too_long_with_its_number_is_refused_before_anything_is_sent(
    run, service, papers
):
    ran = run("create", str(papers), "-r", "--request-id", "x" * 127)
    assert ran.code == 1
    assert "of 2 batches has at most 126 characters. (INVALID_REQUEST_ID)" in ran.stderr
    assert (service.created, service.uploads) == ([], [])
    assert run("create", str(papers), "-r", "--request-id", "x" * 126).code == 0
    assert [each.request_id for each in service.created] == ["x" * 126, "x" * 126 + ".2"]
    assert run("create", str(papers / "a.pdf"), "--request-id", "x" * 129).code == 1


def test_numbers_that_no_message_can_hold_are_said_to_be_too_large(run, papers):
    for words in (
        ["watch", "0", "--after", "99999999999"],
        ["create", str(papers), "--retention-hours", "99999999999"],
    ):
        ran = run(*words)
        assert ran.code == 2
        assert "2147483647" in ran.stderr


def test_a_watch_ends_quietly_once_nobody_reads_what_it_prints(run, papers, monkeypatch):
    run("create", str(papers))
    monkeypatch.setattr(sys, "argv", ["ocr-grpc", "batch", "watch", "0", "--json"])
    reading, writing = os.pipe()
    os.close(reading)  # as `| head -1` does after its line
    stderr = StringIO()
    ended, stdout = pytest.raises(SystemExit), os.fdopen(writing, "w")
    with redirect_stderr(stderr), redirect_stdout(stdout), ended as end:
        main()
    assert end.value.code == 1
    assert stderr.getvalue() == ""


def test_a_server_that_is_not_there_is_said_at_once(monkeypatch, run, papers):
    monkeypatch.setenv("OCR_ADDRESS", "127.0.0.1:1")
    for words in (["create", str(papers)], ["watch", "0"], ["download", "0"]):
        ran = run(*words)
        assert ran.code == 1
        assert "(UNAVAILABLE)" in ran.stderr
    assert not list(Path().glob("*.zip"))
