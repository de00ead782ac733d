"""A document that was read is not read again: over all RPCs, charged, and for its owner alone."""

import base64
import io
import signal

import grpc
import httpx
import psutil
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import usage_service_pb2 as usage_pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.end_to_end.test_language_model import reading
from tests.end_to_end.test_metrics import scraped, value
from tests.engines.vlm.answers import writes
from tests.people import house
from tests.processes import serve
from tests.support import (
    channel_to,
    collect,
    encoded,
    kinds,
    picture,
    refusal,
    running,
    text_pdf,
    upload,
)

MIB = 1024 * 1024
ON = {"result_cache_bytes": 16 * MIB}
SECRET = "a secret that all servers of an installation have"
SCAN = encoded(picture(), "TIFF", save_all=True, append_images=[picture()] * 2)
BOOK = text_pdf(3, 5)


def asks(content: bytes = SCAN, **values) -> pb.StreamExtractRequest:
    return pb.StreamExtractRequest(content=content, **values)


def cached(events) -> bool:
    """Return whether all pages were, or none."""
    ended = [event.page_finished for event in events if event.HasField("page_finished")]
    [found] = {page.provenance.cached for page in ended}
    return found


def of_pages(events) -> list:
    """Return the events of the pages, page by page, without what each call has of its own."""
    left: list[tuple[int, int, bytes]] = []
    for event in events:
        kind = event.WhichOneof("event")
        if kind in ("started", "finished"):
            continue
        own = getattr(event, kind)
        if kind == "page_finished":
            own.provenance.cached = False
        left.append((own.page_number, event.sequence, own.SerializeToString()))
    return [(page, content) for page, _, content in sorted(left)]


async def test_the_same_document_comes_again_though_nothing_can_read_it_any_more(tmp_path):
    with serve(tmp_path, RESULT_CACHE_BYTES=str(MIB)) as (process, address):
        async with grpc.aio.insecure_channel(address) as channel:
            stub = OcrServiceStub(channel)
            wanted = asks(options={"page_image_side_px": 100})
            first = await collect(stub.StreamExtract(wanted))
            helpers = psutil.Process(process.pid).children(recursive=True)
            assert len(helpers) > 1  # a reader and an engine worker at least
            for each in helpers:
                each.suspend()
            try:
                second = await collect(stub.StreamExtract(wanted, timeout=30))
            finally:
                for each in helpers:
                    each.send_signal(signal.SIGCONT)
    assert (cached(first), cached(second)) == (False, True)
    assert [event.sequence for event in second] == list(range(1, len(first) + 1))
    assert of_pages(second) == of_pages(first)
    assert kinds(second).count("page_image") == 3
    ends = first[-1].finished, second[-1].finished
    assert ends[0].usage == ends[1].usage
    assert ends[1].duration_seconds < ends[0].duration_seconds
    assert first[0].started.extraction_id != second[0].started.extraction_id


async def test_every_rpc_has_the_same_cache(tmp_path):
    async with running(tmp_path, http_enabled=True, **ON) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        whole = await stub.Extract(pb.ExtractRequest(content=BOOK))
        assert [page.provenance.cached for page in whole.pages] == [False] * 3
        again = await stub.Extract(pb.ExtractRequest(content=BOOK))
        assert [page.provenance.cached for page in again.pages] == [True] * 3
        assert (again.text, again.usage) == (whole.text, whole.usage)
        assert cached(await collect(stub.UploadExtract(upload(BOOK, 1000))))
        resumable = await collect(stub.StreamExtract(asks(BOOK, resumable=True)))
        assert cached(resumable)
        url = "data:application/pdf;base64," + base64.b64encode(BOOK).decode()
        document = {"type": "document_url", "document_url": url}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.http_port}") as http:
            body = {"model": "null", "document": document}
            assert (await http.post("/v1/ocr", json=body)).status_code == 200
            answer = await http.post("/v1/ocr:upload?options.skip_cache=true", content=BOOK)
            assert answer.text.count('"cached":false') == 3
        counts = await scraped(server)
        assert value(counts, "ocr_result_cache_lookups_total", outcome="hit") == 4
        assert value(counts, "ocr_result_cache_lookups_total", outcome="miss") == 1
        assert value(counts, "ocr_result_cache_lookups_total", outcome="refused") == 1
        assert 1000 < value(counts, "ocr_result_cache_bytes") < 100_000
        # What resumes has the number of each event, and gets what is kept under it.
        request = pb.ResumeExtractRequest(
            extraction_id=resumable[0].started.extraction_id, after_sequence=3
        )
        rest = await collect(stub.ResumeExtract(request))
        assert [each.SerializeToString() for each in rest] == [
            each.SerializeToString() for each in resumable[3:]
        ]


async def test_a_language_model_is_asked_once_and_its_tokens_count_once(tmp_path):
    async with reading(tmp_path, writes("# Title\n\nText."), **ON) as (_, stub):
        # Until the model's server told what it serves, nobody knows what a result would be of.
        await collect(stub.StreamExtract(asks(options={"engine": "vlm"})))
        wanted = asks(encoded(picture()), options={"engine": "vlm"})
        ends = [(await collect(stub.StreamExtract(wanted)))[-2].page_finished for _ in range(2)]
        assert [end.provenance.cached for end in ends] == [False, True]
        assert ends[0].text == ends[1].text == "# Title\n\nText."
        assert [end.usage.prompt_tokens > 0 for end in ends] == [True, False]
        assert [end.usage.completion_tokens > 0 for end in ends] == [True, False]
        assert [end.usage.completion_chars for end in ends] == [len("# Title\n\nText.")] * 2
        # Another prompt is another question.
        other = asks(encoded(picture()), options={"engine": "vlm", "prompt": "Read all."})
        assert not cached(await collect(stub.StreamExtract(other)))


async def test_a_cached_stream_that_broke_goes_on_from_the_cache(tmp_path):
    book = text_pdf(60, 40)
    async with running(tmp_path, **ON) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        whole = await stub.Extract(pb.ExtractRequest(content=book))
        call = stub.StreamExtract(asks(book, resumable=True))
        begun = []
        async for event in call:
            begun.append(event)
            if len(begun) == 8:
                break
        call.cancel()
        request = pb.ResumeExtractRequest(
            extraction_id=begun[0].started.extraction_id, after_sequence=begun[-1].sequence
        )
        events = begun + await collect(stub.ResumeExtract(request))
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    ended = {
        e.page_finished.page_number: e.page_finished for e in events if e.HasField("page_finished")
    }
    assert all(page.provenance.cached for page in ended.values())
    assert [ended[page.page_number].text for page in whole.pages] == [
        page.text for page in whole.pages
    ]
    assert events[-1].finished.usage == whole.usage


async def test_cached_pages_are_charged_and_belong_to_one_account(tmp_path):
    async with house(tmp_path, **ON) as home:
        ada_id, ada = await home.create_user("ada", limits={"pages_per_month": 6})
        _, bob = await home.register("bob")

        async def read(who) -> list:
            return await collect(home.ocr.StreamExtract(asks(), metadata=who))

        assert not cached(await read(ada))
        assert not cached(await read(bob))
        assert cached(await read(ada))
        code, reason = await refusal(home.ocr.StreamExtract(asks(), metadata=ada))
        assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
        listed = await home.usage.ListUsage(usage_pb.ListUsageRequest(), metadata=ada)
        assert [row.usage.pages for row in listed.records if row.status == "OK"][:2] == [3, 3]
        before = value(await scraped(home.server), "ocr_result_cache_bytes")
        deletion = admin_pb.DeleteUserRequest(user_id=ada_id)
        await home.admins.DeleteUser(deletion, metadata=await home.admin())
        after = value(await scraped(home.server), "ocr_result_cache_bytes")
        assert 0 < after < before
        assert cached(await read(bob))


async def test_accounts_share_where_the_installation_says_so(tmp_path):
    async with house(tmp_path, result_cache_shared=True, **ON) as home:
        for name, expected in (("ada", False), ("bob", True)):
            _, who = await home.register(name)
            found = await collect(home.ocr.StreamExtract(asks(), metadata=who))
            assert cached(found) is expected


async def test_whoever_wants_it_anew_gets_it_anew(tmp_path):
    async with running(tmp_path, **ON) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)
        anew = {"skip_cache": True}
        for options, expected in (anew, False), ({}, False), (anew, False), ({}, True):
            assert cached(await collect(stub.StreamExtract(asks(options=options)))) is expected


async def test_an_encrypted_document_is_there_for_its_password_alone(tmp_path):
    locked = io.BytesIO()
    canvas = Canvas(locked, encrypt=StandardEncryption("geheim", strength=128))
    canvas.drawString(60, 780, "A secret line of some length, to be a text layer.")
    canvas.save()
    content = locked.getvalue()
    async with running(tmp_path, **ON) as server, channel_to(server) as channel:
        stub = OcrServiceStub(channel)

        def read(password: str):
            return stub.StreamExtract(asks(content, options={"password": password}))

        assert not cached(await collect(read("geheim")))
        assert cached(await collect(read("geheim")))
        for wrong in ("", "falsch"):
            assert (await refusal(read(wrong)))[0] is not grpc.StatusCode.OK


async def test_servers_share_what_is_in_redis(tmp_path, production):
    values = production.settings | ON | {"secret_key": SECRET}
    values |= {"blob_url": f"file://{tmp_path}/blobs"}
    (tmp_path / "blobs").mkdir()
    async with house(tmp_path / "first", **values) as first:
        _, ada = await first.register("ada")
        assert not cached(await collect(first.ocr.StreamExtract(asks(), metadata=ada)))
    async with house(tmp_path / "second", **values) as second:
        assert cached(await collect(second.ocr.StreamExtract(asks(), metadata=ada)))
