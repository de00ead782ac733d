"""Results of batches: the forms of one document, and the archive of all."""

import asyncio
import io
import json
import random
import zipfile
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pypandoc
import pytest
from google.protobuf import json_format
from sqlalchemy import update

from ocr_grpc.batches.errors import (
    BatchDeleted,
    BatchNotFinished,
    BatchNotFound,
    DocumentNotFinished,
    DocumentNotFound,
)
from ocr_grpc.batches.plain_markdown import escaped_text
from ocr_grpc.batches.queries import BatchQueries
from ocr_grpc.batches.result_names import MAX_BYTES, numbered_name
from ocr_grpc.batches.result_pieces import PIECE_BYTES, ResultForm
from ocr_grpc.batches.results import Download, Results
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.errors import PageReaderTimedOut
from ocr_grpc.extraction import events
from ocr_grpc.extraction.events import PageOutcome, TextSource
from ocr_grpc.extraction.options import Mode
from ocr_grpc.model import Line, PageGeometry, Point, TextFormat
from ocr_grpc.rpc.batch_results import BatchResults, content_disposition, result_codec
from ocr_grpc.rpc.caller import Caller, current_caller, set_current_caller
from ocr_grpc.rpc.page_results import encoded_page
from ocr_grpc.rpc.responses import event_to_proto
from ocr_grpc.rpc.whole_document import WholeDocument
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.batches import BatchRow, DocumentRow, PageRow
from ocr_grpc.store.database import Database
from ocr_grpc.v1 import batch_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2 import ExtractResponse, StreamExtractResponse
from tests.batches.rows import add_batch, all_of

JSON, TEXT, MARKDOWN = ResultForm
FINISH_TIME = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
GEOMETRY = PageGeometry(100, 200, 72.0)
CORNERS = tuple(Point(x, y) for x, y in ((0.1, 0.2), (9.5, 0.2), (9.5, 2), (0.1, 2)))


@pytest.fixture
async def database(embedded):
    opened = Database(embedded.database_url)
    yield opened
    await opened.close()


@pytest.fixture
def results(database) -> Results:
    return Results(database, BatchQueries(database), result_codec())


def read_page(
    number: int,
    text: str = "",
    text_format: TextFormat = TextFormat.PLAIN,
    error=None,
    estimated: bool = False,
) -> list[events.Event]:
    """Return the events of a page; one with an error failed."""
    provenance = events.Provenance(Mode.AUTO, TextSource.TEXT_LAYER, dpi=72.0)
    lines = (Line(text, CORNERS, 0.875),) if text and not error else ()
    usage = events.Usage(1, 2, 3, len(text), 5, int(not error), estimated)
    outcome = PageOutcome.FAILED if error else PageOutcome.OK
    return [
        events.PageStarted(number, GEOMETRY, TextSource.TEXT_LAYER, text_format),
        events.Delta(number, text, lines),
        events.PageFinished(
            number, outcome, provenance, usage, "" if error else text, 1, error, text_format
        ),
    ]


async def add_pages(database, document: DocumentRow, pages: list[list[events.Event]]) -> None:
    """Give a document its pages, and make it finished."""
    ends = [page[-1] for page in pages]
    ok = sum(end.outcome is PageOutcome.OK for end in ends)
    total = sum((end.usage for end in ends), events.Usage())
    columns = ("prompt_tokens", "completion_tokens", "prompt_chars", "completion_chars")
    async with database.write() as session:
        session.add_all(
            PageRow(
                document_id=document.document_id,
                page_number=end.page_number,
                outcome=end.outcome.value,
                result=encoded_page(page),
            )
            for page, end in zip(pages, ends, strict=True)
        )
        changed = update(DocumentRow).where(DocumentRow.document_id == document.document_id)
        await session.execute(
            changed.values(
                state="finished" if ok else "failed",
                kind="pdf",
                document_page_count=len(pages),
                page_count=len(pages),
                pages_ok=ok,
                pages_failed=len(pages) - ok,
                input_bytes=total.input_bytes,
                start_time=FINISH_TIME - timedelta(seconds=2.5),
                finish_time=FINISH_TIME,
                reason="" if ok else "READER_TIMED_OUT",
                **{name: getattr(total, name) for name in columns},
            )
        )


async def add_document(database, pages: list[list[events.Event]], file_name="a.pdf"):
    """Insert a finished batch with one document; return both ids."""
    batch, _ = await add_batch(database, finish_time=FINISH_TIME)
    [document] = await all_of(database, DocumentRow, DocumentRow.batch_id == batch.batch_id)
    await add_pages(database, document, pages)
    async with database.write() as session:
        mine = update(DocumentRow).where(DocumentRow.batch_id == batch.batch_id)
        await session.execute(mine.values(file_name=file_name))
        await finish(session, batch.batch_id)
    return batch.batch_id, document.document_id


async def finish(session, batch_id: str) -> None:
    ended = update(BatchRow).where(BatchRow.batch_id == batch_id)
    await session.execute(ended.values(state="finished"))


async def collected(download: Download) -> bytes:
    async with aclosing(download.pieces) as pieces:
        found = [piece async for piece in pieces]
    assert all(0 < len(piece) <= PIECE_BYTES for piece in found)
    return b"".join(found)


async def result(results: Results, ids, form: ResultForm, partial=False) -> bytes:
    return await collected(await results.document("ann", *ids, form, partial))


def extracted(document_id: str, pages: list[list[events.Event]]) -> dict:
    """Return what REST answers to `Extract` if these are the pages; see `sidecar/filters.py`."""
    whole = WholeDocument()
    usage = sum((page[-1].usage for page in pages), events.Usage())
    first = events.Started(
        document_id, DocumentKind.PDF, len(pages), len(pages), Mode.AUTO, None, 0, 1
    )
    last = events.Finished(usage, len(pages), 0, 0, 2.5)
    for event in (first, *(event for page in pages for event in page), last):
        whole.add(event_to_proto(StreamExtractResponse, 1, event, lambda _: 0))
    return json.loads(
        json_format.MessageToJson(
            whole.response(),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
    )


ODD = 'Größe "1" \\ \u2028 <b>\n\tzwei\x01 𝄞'


async def test_json_is_what_extract_answers(database, results):
    pages = [
        read_page(1, ODD),
        read_page(2, "never seen", error=PageReaderTimedOut("It took too long.")),
        read_page(3),
        read_page(7, "# last", TextFormat.MARKDOWN, estimated=True),
    ]
    ids = await add_document(database, pages)
    found = json.loads(await result(results, ids, JSON))
    assert found == extracted(ids[1], pages)
    assert list(found) == [field.name for field in ExtractResponse.DESCRIPTOR.fields]
    assert found["text"] == f"{ODD}\f\f# last"
    assert (found["kind"], found["usage"]["input_bytes"]) == ("DOCUMENT_KIND_PDF", "20")


async def test_a_document_without_pages_is_an_empty_result(database, results):
    ids = await add_document(database, [])
    found = json.loads(await result(results, ids, JSON))
    assert (found["pages"], found["text"]) == ([], "")
    assert await result(results, ids, TEXT) == b""
    assert await result(results, ids, MARKDOWN) == b""


async def test_pages_come_in_order_however_many_there_are(database, results):
    numbers = list(range(1, 151))
    shuffled = random.Random(7).sample(numbers, len(numbers))
    ids = await add_document(database, [read_page(each, f"page {each}") for each in shuffled])
    pages = (await result(results, ids, TEXT)).decode().split("\f")
    assert pages == [f"page {each}" for each in numbers]
    found = json.loads(await result(results, ids, JSON))
    assert [page["page_number"] for page in found["pages"]] == numbers


async def test_large_pages_leave_in_small_pieces(database, results):
    text = "äöü " * 50_000  # 350 kB
    ids = await add_document(database, [read_page(1, text), read_page(2, "x"), read_page(3, text)])
    assert (await result(results, ids, TEXT)).decode() == f"{text}\fx\f{text}"
    assert json.loads(await result(results, ids, JSON))["text"] == f"{text}\fx\f{text}"


async def test_markdown_keeps_what_is_markdown_and_escapes_what_is_not(database, results):
    ids = await add_document(
        database,
        [
            read_page(1, "# A *title*", TextFormat.MARKDOWN),
            read_page(2, "# no *title*\n1. no item"),
            read_page(3, "lost", error=PageReaderTimedOut("It took too long.")),
        ],
    )
    expected = b"# A *title*\n\n---\n\n\\# no \\*title\\*\n1\\. no item"
    assert await result(results, ids, MARKDOWN) == expected


AWKWARD = (
    *("a", "b 1", "__init__", "snake_case_x", "*", "**", "_", "`", "```", "~~~", "~~x~~", "\\"),
    *("\\*", "[x](y)", "[x][y]", "[x]: http://y", "[^1]: note", "![a](b)", "<b>", "<!-- c -->"),
    *(
        "<a@b.de>",
        "&amp;",
        "&#35;",
        "#",
        "## h",
        "-",
        "- a",
        "+",
        "1.",
        "2) x",
        "---",
        "===",
        "***",
    ),
    *("- - -", "> q", "| a | b |", "|---|---|", "2*3*4", "5 * 3", "a_b_", "_a_", "    code"),
    *("  x  ", "$5 and $10", "- [ ] box", "a\\", ":---:", "a < b > c", "x[^1]", "\\\\", "12345."),
    *("https://x.de/a_b_c", "http://x.de/_a_/?b=1&c_=~d.", "(see https://x.de/~a)"),
)


def test_plain_text_as_markdown_shows_the_same():
    """Asked of pandoc, which knows nothing of how it was escaped."""
    mixing = random.Random(1)
    texts = [
        *AWKWARD,
        *("\n".join(mixing.choices(AWKWARD, k=3)) for _ in range(150)),
        *(" ".join(mixing.choices(AWKWARD, k=3)) for _ in range(150)),
    ]
    between = "QQQQ"
    markdown = f"\n\n{between}\n\n".join(map(escaped_text, texts))
    # Both are pandoc's own, and not GFM's.
    form, as_is = "gfm-tex_math_dollars-emoji", ["--wrap=preserve"]
    shown = pypandoc.convert_text(markdown, "plain", format=form, extra_args=as_is).split(between)
    assert list(map(_words, shown)) == list(map(_words, texts))


def _words(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().split("\n")]


async def test_what_is_not_finished_is_refused_unless_a_part_is_wanted(database, results):
    batch, _ = await add_batch(database, documents=2, state="running")
    first, second = await all_of(database, DocumentRow, order=DocumentRow.number)
    await add_pages(database, first, [read_page(1, "one")])
    async with database.write() as session:
        reading = update(DocumentRow).where(DocumentRow.document_id == second.document_id)
        await session.execute(reading.values(state="reading", pages_ok=1, page_count=2))
        two = encoded_page(read_page(2, "two"))
        session.add(
            PageRow(document_id=second.document_id, page_number=2, outcome="ok", result=two)
        )
    ids = batch.batch_id, second.document_id
    assert await result(results, (batch.batch_id, first.document_id), TEXT) == b"one"
    with pytest.raises(DocumentNotFinished):
        await result(results, ids, TEXT)
    assert await result(results, ids, TEXT, partial=True) == b"two"
    with pytest.raises(BatchNotFinished):
        await results.archive("ann", batch.batch_id, TEXT, partial=False)
    files = _files(await collected(await results.archive("ann", batch.batch_id, TEXT, True)))
    assert [files["0001-1.png.txt"], files["0002-2.png.txt"]] == [b"one", b"two"]


async def test_results_of_others_are_not_there(database, results):
    ids = await add_document(database, [read_page(1, "x")])
    with pytest.raises(BatchNotFound):
        await results.document("ben", *ids, TEXT, True)
    with pytest.raises(DocumentNotFound):
        await results.document("ann", ids[0], "other", TEXT, True)
    with pytest.raises(BatchNotFound):
        await results.archive("ben", ids[0], TEXT, True)


@pytest.mark.parametrize("what", ["document", "archive"])
async def test_a_batch_that_is_deleted_meanwhile_does_not_look_complete(database, results, what):
    # No archive makes that smaller, so much is left to send after the first piece.
    texts = [random.Random(each).randbytes(4000).hex() for each in range(60)]
    pages = [read_page(number, text) for number, text in enumerate(texts, start=1)]
    ids = await add_document(database, pages)
    if what == "document":
        download = await results.document("ann", *ids, JSON, False)
    else:
        download = await results.archive("ann", ids[0], JSON, False)
    async with aclosing(download.pieces) as pieces:
        await anext(pieces)
        async with database.write() as session:
            mine = update(BatchRow).where(BatchRow.batch_id == ids[0])
            await session.execute(mine.values(delete_time=utc_now()))
        with pytest.raises(BatchDeleted):
            async for _ in pieces:
                pass


def _files(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


async def test_an_archive_has_what_was_read_and_a_list_of_everything(database, results):
    batch, _ = await add_batch(database, documents=60, display_name="../Post 2026")
    documents = await all_of(database, DocumentRow, order=DocumentRow.number)
    for document in documents[:55]:
        await add_pages(database, document, [read_page(1, f"{document.number} äöü " * 1500)])
    lost = read_page(1, error=PageReaderTimedOut("It took too long."))
    await add_pages(database, documents[55], [lost])
    async with database.write() as session:
        await finish(session, batch.batch_id)
    download = await results.archive("ann", batch.batch_id, TEXT, False)
    assert (download.file_name, download.content_type) == ("_Post 2026.zip", "application/zip")
    archive = await collected(download)
    files = _files(archive)
    manifest = json.loads(files.pop("manifest.json"))
    assert list(files) == [f"{each:04d}-{each}.png.txt" for each in range(1, 56)]
    assert files["0007-7.png.txt"].decode() == "7 äöü " * 1500
    assert manifest["batch_id"] == batch.batch_id
    listed = manifest["documents"]
    assert [each["number"] for each in listed] == list(range(1, 61))
    assert [each["result"] for each in listed] == [*files, *[""] * 5]
    assert (listed[55]["state"], listed[55]["reason"]) == (
        "DOCUMENT_STATE_FAILED",
        "READER_TIMED_OUT",
    )
    assert (listed[0]["pages_ok"], listed[55]["pages_failed"]) == (1, 1)
    again = await results.archive("ann", batch.batch_id, TEXT, False)
    assert await collected(again) == archive


async def test_an_archive_whose_reader_leaves_is_closed(database, results):
    ids = await add_document(database, [read_page(each, ODD * 2000) for each in range(1, 9)])
    download = await results.archive("ann", ids[0], JSON, False)
    async with aclosing(download.pieces) as pieces:
        await anext(pieces)
    reading = asyncio.create_task(collected(await results.archive("ann", ids[0], JSON, False)))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    assert reading.cancelled()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Rechnung Mai.pdf", "Rechnung Mai.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..\\..\\boot.ini", "_.._boot.ini"),
        ('C:\\a?*<b>|"c', "C__a___b___c"),
        ("...", "document"),
        ("", "document"),
        ("a\r\nb\x00\x1b[2J\x7f", "a__b__[2J_"),
        ("exe.\u202efdp", "exe._fdp"),
        (" .hidden. ", "hidden"),
        ("u\u0308.pdf", "ü.pdf"),
        ("\ud800x", "_x"),
    ],
)
def test_names_in_archives_are_fit_for_every_system(name, safe):
    assert numbered_name(7, name, "md") == f"0007-{safe}.md"


def test_names_in_archives_are_not_too_long():
    name = numbered_name(1000, "ä" * 300, "json")
    assert len(name.encode()) == len("1000-.json") + MAX_BYTES
    assert name == f"1000-{'ä' * (MAX_BYTES // 2)}.json"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"),
        ('ü"\\%.md', "attachment; filename=\"____.md\"; filename*=UTF-8''%C3%BC%22%5C%25.md"),
    ],
)
def test_the_header_that_names_a_download_is_ascii(name, header):
    assert content_disposition(name) == header


async def test_the_first_message_says_what_it_is(database, results, tmp_path):
    text = "x" * (2 * PIECE_BYTES + 1)
    ids = await add_document(database, [read_page(1, text)], "Größe.pdf")
    set_current_caller(Caller("", ""))
    request = pb.DownloadBatchDocumentRequest(
        batch_id=ids[0], document_id=ids[1], format=pb.RESULT_FORMAT_TEXT
    )
    answers = BatchResults(results, tmp_path).document("ann", request, rest=True)
    contents = [response.content async for response in answers]
    assert [each.content_type for each in contents] == ["text/plain; charset=utf-8", "", ""]
    assert b"".join(each.data for each in contents).decode() == text
    header = current_caller().left["content-disposition"]
    assert header.startswith('attachment; filename="Gr__e.pdf.txt"; ')


async def test_an_empty_result_and_an_archive_say_what_they_are_as_well(
    database, results, tmp_path
):
    ids = await add_document(database, [])
    set_current_caller(Caller("", ""))
    request = pb.DownloadBatchDocumentRequest(
        batch_id=ids[0], document_id=ids[1], format=pb.RESULT_FORMAT_MARKDOWN
    )
    answers = BatchResults(results, tmp_path)
    [only] = [each async for each in answers.document("ann", request, rest=True)]
    assert (only.content.content_type, only.content.data) == ("text/markdown; charset=utf-8", b"")
    asked = pb.DownloadBatchRequest(batch_id=ids[0])
    [only] = [each async for each in answers.archive("ann", asked, rest=True)]
    assert only.content.content_type == "application/zip"
    assert list(_files(only.content.data)) == ["manifest.json"]
