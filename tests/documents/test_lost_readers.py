"""A reader that was lost before it saw a document is nobody's fault but the server's."""

import asyncio
import errno
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest
import uvloop

from ocr_grpc.documents import child, errors
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.endings import Ending
from ocr_grpc.documents.family import Opening
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.pool import DocumentPool
from ocr_grpc.documents.protocol import Message
from ocr_grpc.documents.reader import Reader
from tests.documents.conftest import opening
from tests.documents.fakes import document_of, well_behaved
from tests.documents.samples import encoded, paper, prose_pdf, until, written


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def on_uvloop(spool: Path, use: Callable[[DocumentPool], Awaitable[None]]) -> None:
    """Use a pool as the service does; uvloop alone complains of pipes that are closed."""

    async def run() -> None:
        documents = DocumentPool(spool, DocumentLimits(), 1)
        await documents.start()
        try:
            await use(documents)
        finally:
            await documents.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


@pytest.mark.parametrize("pause_seconds", [0, 0.1])
def test_a_document_can_be_closed_after_its_idle_reader_died(tmp_path, file, pause_seconds: float):
    async def use(documents: DocumentPool) -> None:
        document = await documents.open(file(written("x")))
        (pid,) = documents.reader_pids(Family.PAGES)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: ended(pid))
        await asyncio.sleep(pause_seconds)
        await document.close()
        await document.close()
        assert (await documents.open(file(written("x")))).page_count == 1

    on_uvloop(tmp_path / "spool", use)


def closed_pipe(request: Message) -> Message:
    """Fail as uvloop does when it has closed the pipe of a process that ended."""
    raise RuntimeError("unable to perform operation; the handler is closed")


def closes_its_pipe_at(operation: str) -> Callable[[Message], Message]:
    return lambda request: (
        closed_pipe(request) if request["op"] == operation else well_behaved(request)
    )


@pytest.mark.parametrize("operation", ["open", "text"])
async def test_a_question_that_never_left_is_asked_again(operation: str):
    document, readers = document_of(closes_its_pipe_at(operation), well_behaved)
    await document.open()
    layers = await asyncio.gather(*(document.text_layer(page, 0) for page in (1, 2, 3)))
    assert [layer.unusable_because for layer in layers] == ["none"] * 3
    assert len(readers.discarded) == 1


async def test_it_is_asked_again_once_only():
    document, readers = document_of(closed_pipe, closed_pipe, well_behaved)
    with pytest.raises(errors.ReaderUnavailable):
        await document.open()
    assert len(readers.discarded) == 2
    assert await document.open() == 3


async def test_a_reader_that_dies_over_the_document_gets_no_second_chance():
    document, readers = document_of(lambda _: None, well_behaved)
    with pytest.raises(errors.ReaderCrashed):
        await document.open()
    assert readers.endings == [Ending.CRASHED]


async def test_a_bug_costs_its_call_and_nobody_waits_for_ever():
    document, readers = document_of(
        lambda request: well_behaved(request) if request["op"] == "open" else {}["bug"],
        well_behaved,
    )
    await document.open()
    first, *others = await asyncio.gather(
        *(document.text_layer(page, 0) for page in (1, 2, 3)), return_exceptions=True
    )
    assert isinstance(first, KeyError)
    assert not any(isinstance(other, BaseException) for other in others)
    assert readers.endings == [Ending.ANOMALY]


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": None},
        {"ok": [1, 2]},
        {"ok": {"width": 9, "height": 9, "dpi": 10**400, "because": "none", "lines": []}},
        {"ok": {"width": 9, "height": 9, "dpi": 0, "because": "", "lines": [["x", [10**400] * 8]]}},
        {"error": {}},
        {"error": "page_too_large", "width": "wide"},
    ],
)
async def test_whatever_a_hijacked_reader_says_is_refused_alike(answer: Message):
    document, readers = document_of(
        lambda request: answer if request["op"] == "text" else well_behaved(request), well_behaved
    )
    await document.open()
    with pytest.raises(errors.PageReaderCrashed):
        await document.text_layer(1, 0)
    assert readers.endings == [Ending.ANOMALY]
    assert not (await document.text_layer(1, 0)).usable


@pytest.mark.parametrize("sent", [signal.SIGSTOP, signal.SIGKILL])
async def test_the_document_after_an_idle_reader_was_lost_is_read(pool, file, sent: int):
    documents = await pool(readers=2)
    document = await documents.open(file(prose_pdf(2)))
    await asyncio.sleep(0.1)
    pids = documents.reader_pids(Family.PAGES)
    for pid in pids:
        os.kill(pid, sent)
    began = time.monotonic()
    assert (await documents.open(file(written("x")))).page_count == 1
    assert time.monotonic() - began < 8
    assert (await document.text_layer(2, 72)).usable
    assert (await document.render(2, 72)).path.exists()
    await until(lambda: all(ended(pid) for pid in pids))


async def test_a_call_cancelled_while_its_reader_stands_still_is_soon_over(pool, file):
    documents = await pool()
    await asyncio.sleep(0.1)
    (pid,) = documents.reader_pids(Family.PAGES)
    os.kill(pid, signal.SIGSTOP)
    opening = asyncio.create_task(documents.open(file(written("x"))))
    await until(lambda: documents.busy)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await until(lambda: ended(pid) and documents.busy == 0)


async def test_without_any_reader_no_document_is_called_damaged(pool, file, monkeypatch):
    documents = await pool()
    (pid,) = documents.reader_pids(Family.PAGES)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", "/nowhere/python")
        os.kill(pid, signal.SIGKILL)
        await until(lambda: ended(pid))
        await asyncio.sleep(0.1)
        with pytest.raises(errors.ReaderUnavailable) as refused:
            await documents.open(file(written("x")))
        assert refused.value.reason == "READER_UNAVAILABLE"
    assert (await documents.open(file(written("x")))).page_count == 1


FULL_DISK = """
import asyncio, sys
from pathlib import Path
from ocr_grpc.documents.errors import SpoolFull
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.pool import DocumentPool

async def main():
    spool, large, small = map(Path, sys.argv[1:])
    pool = DocumentPool(spool, DocumentLimits(), 1)
    await pool.start()
    pids = pool.reader_pids()
    try:
        await (await pool.open(large)).render(1, 0)
    except SpoolFull:
        print("full")
    page = await (await pool.open(small)).render(1, 0)
    assert list(spool.iterdir()) == [page.path]
    assert pool.reader_pids() == pids
    await pool.close()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a small disk, mounted for it alone")
def test_a_full_disk_is_not_the_documents_fault(tmp_path, file):
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size=1m tmpfs {tmp_path}/disk"
    (tmp_path / "disk").mkdir()
    if subprocess.run([*alone, mount], capture_output=True, check=False).returncode:
        pytest.skip("This machine lets nobody mount a small disk in a namespace of its own.")
    (tmp_path / "program.py").write_text(FULL_DISK)
    large, small = file(encoded(paper(2000, 1500))), file(encoded(paper()))
    program = [sys.executable, tmp_path / "program.py", tmp_path / "disk" / "spool", large, small]
    command = f"{mount} && exec {' '.join(map(str, program))}"
    done = subprocess.run([*alone, command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "full\n"), done.stderr


FORKING = """
import os, sys, time
pid = os.fork()
if pid == 0:
    time.sleep(60)
print(pid, flush=True)
os.close(1)
if sys.argv[1] == "ends":
    os._exit(3)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no groups of processes")
@pytest.mark.parametrize("reader_itself", ["ends", "stays"])
async def test_what_a_reader_started_ends_with_it(reader_itself: str):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FORKING, reader_itself),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    started = int(await process.stdout.readline())
    process.stderr = asyncio.StreamReader()
    process.stderr.feed_eof()
    ours, theirs = socket.socketpair()
    with theirs:
        reader = Reader(process, ours)
        if reader_itself == "ends":
            await until(lambda: ended(process.pid))
        reader.kill()
        await reader.wait()
    await until(lambda: ended(started))


@pytest.mark.parametrize(
    ("number", "answer"), [("ENOSPC", "no_space"), ("EDQUOT", "no_space"), ("EFBIG", "broken")]
)
def test_a_full_disk_is_told_from_a_page_too_large_for_its_file(number: str, answer: str):
    def open_it(_: Opening):
        raise OSError(getattr(errno, number), "cannot write")

    request = {"op": "open", "kind": "pdf", "name": "", "password": ""}
    reader = child.Reader(open_it, opening(io.BytesIO(), DocumentKind.PDF).limits)
    assert reader.answer(request, [os.open(os.devnull, os.O_RDONLY)]) == {"error": answer}
