"""A reader opens no file: it is handed them open, and lets go of them again."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from ocr_grpc.documents import errors
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.endings import Ending
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.opened import DocumentFile
from ocr_grpc.documents.protocol import Message
from ocr_grpc.model import TextFormat
from tests.documents.fakes import document_of, opened_by, well_behaved
from tests.documents.samples import encoded, endless_pdf, paper, prose_pdf, until, written

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

HTML = b"<!DOCTYPE html><html><body><h1>Title</h1><p>Some words.</p></body></html>"


def own_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def spooled_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def spooled(file, ending: str) -> list[Path]:
    return list((file(b"").parent / "spool").glob(f"*.{ending}"))


async def test_no_descriptor_is_lost_over_two_hundred_documents(pool, file):
    documents = await pool(leases_per_reader=10_000)
    (pid,) = documents.reader_pids(Family.PAGES)
    reader = psutil.Process(pid)
    contents = [written("x"), encoded(paper()), b"%PDF-1.7 damaged", encoded(paper(), "TIFF")]
    paths = [file(content) for content in contents]

    async def use(path: Path) -> None:
        try:
            document = await documents.open(path)
        except errors.CorruptDocument:
            return
        (await document.render(1, 36)).path.unlink()
        await document.close()

    before = own_files(), reader.num_fds()
    for number in range(200):
        await use(paths[number % 4])
    assert documents.reader_pids(Family.PAGES) == [pid]
    await until(lambda: (own_files(), reader.num_fds()) == before)


async def test_no_descriptor_is_lost_with_documents_of_text(pool, file):
    documents = await pool(leases_per_reader=10_000)
    (pid,) = documents.reader_pids(Family.OFFICE)
    reader = psutil.Process(pid)
    path = file(HTML)

    async def use() -> None:
        document = await documents.open(path)
        await document.structured_page(1, TextFormat.MARKDOWN)
        await document.close()

    before = own_files(), reader.num_fds()
    for _ in range(20):
        await use()
    await until(lambda: (own_files(), reader.num_fds()) == before)


async def test_calls_cancelled_at_any_moment_lose_no_descriptor(pool, file):
    documents = await pool()
    path = file(prose_pdf(2))
    document = await documents.open(path)
    (await document.render(1, 36)).path.unlink()
    before = own_files()
    for moment in range(12):
        call = asyncio.create_task(document.render(1 + moment % 2, 100))
        await asyncio.sleep(moment * 0.003)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await until(lambda: documents.busy == 0)
    await until(lambda: own_files() == before)


async def test_readers_that_die_lose_no_descriptor_of_the_server(pool, file):
    documents = await pool()
    document = await documents.open(file(endless_pdf()))
    before = own_files()
    for _ in range(3):
        (pid,) = documents.reader_pids(Family.PAGES)
        call = asyncio.create_task(document.render(2, 0))
        await until(lambda: documents.busy)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(errors.PageReaderCrashed):
            await call
        (await document.render(1, 36)).path.unlink()
    await until(lambda: own_files() == before)


def closes_its_pipe_at_a_page(request: Message) -> Message:
    if request["op"] == "open":
        return well_behaved(request)
    raise RuntimeError("unable to perform operation; the handler is closed")


async def test_a_page_that_is_asked_for_again_goes_to_the_same_file(tmp_path: Path):
    document, readers = document_of(closes_its_pipe_at_a_page, well_behaved, spool=tmp_path)
    await document.open()
    page = await document.render(1, 0)
    document_file = Path("/dev/null")
    first, second = (socket.handed for socket in readers.sockets)
    # What the first one was handed lies in a socket that was closed with it.
    assert first == [document_file, page.path] == second
    assert spooled_in(tmp_path) == [page.path]


@pytest.mark.parametrize("kind", ["docx", "png", "", "exe"])
async def test_a_reader_that_claims_another_format_is_replaced(kind: str):
    document, readers = document_of(lambda _: {"ok": {"pages": 3, "kind": kind}})
    with pytest.raises(errors.ReaderCrashed):
        await document.open()
    assert readers.endings == [Ending.ANOMALY]


async def test_a_reader_of_text_that_claims_to_have_a_pdf_is_replaced(tmp_path: Path):
    file = DocumentFile(Path("/dev/null"), None, Family.OFFICE)
    document, readers = opened_by(file, well_behaved, spool=tmp_path)
    with pytest.raises(errors.ReaderCrashed):
        await document.open()
    assert readers.endings == [Ending.ANOMALY]
    assert [path.suffix for path in readers.sockets[0].handed] == ["", ".scratch"]


async def test_the_scratch_file_serves_the_next_reader_and_goes_with_the_document(pool, file):
    documents = await pool()
    document = await documents.open(file(HTML))
    assert document.kind is DocumentKind.HTML
    (scratch,) = spooled(file, "scratch")
    assert scratch.stat().st_mode & 0o777 == 0o600
    first = await document.structured_page(1, TextFormat.MARKDOWN)
    (pid,) = documents.reader_pids(Family.OFFICE)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not psutil.pid_exists(pid))
    await asyncio.sleep(0.1)  # its pipe may tell a moment later; a page given until then is lost
    assert await document.structured_page(1, TextFormat.MARKDOWN) == first
    assert spooled(file, "scratch") == [scratch]
    await document.close()
    await until(lambda: spooled(file, "scratch") == [])


@pytest.mark.parametrize("content", [b"PK\x03\x04 truncated", b"\x7fELF\2\1\1" + bytes(200)])
async def test_a_refused_document_leaves_no_scratch_file(pool, file, content: bytes):
    documents = await pool()
    with pytest.raises(errors.DocumentError):
        await documents.open(file(content))
    await until(lambda: spooled(file, "scratch") == [])


async def test_closing_the_pool_deletes_scratch_files(pool, file):
    documents = await pool()
    document = await documents.open(file(HTML))
    await documents.close()
    assert document.page_count == 1
    assert spooled(file, "scratch") == []


@pytest.mark.parametrize("content", [HTML, encoded(paper()), b"%PDF-1.7 damaged"])
async def test_a_password_is_nowhere_but_in_the_question(pool, file, caplog, capfd, content):
    password = "correct horse battery"
    documents = await pool()
    opening = documents.open(file(content), password=password)
    (outcome,) = await asyncio.gather(opening, return_exceptions=True)
    assert password not in f"{outcome!r} {getattr(outcome, 'metadata', '')}"
    for pid in documents.reader_pids():
        process = psutil.Process(pid)
        assert password not in f"{process.cmdline()} {process.environ()}"
    assert password not in repr(DocumentFile(Path("x"), None, password=password))
    assert password not in caplog.text + "".join(capfd.readouterr())
