"""The synchronous client, which is the asynchronous one in a thread."""

import gc
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DOORS, PASSWORD, expected_pages, new_name, sample, setting

from ocr_grpc_client import OcrError, SyncOcrClient
from ocr_grpc_client.messages import (
    BatchState,
    GetMeRequest,
    HttpBody,
    ListUsageRequest,
    RegisterRequest,
    UploadDocumentRequest,
    UploadExtractRequest,
    UsageFilter,
    UsageRecord,
)


@pytest.fixture(params=DOORS)
def client(request) -> Iterator[SyncOcrClient]:
    """A client with somebody signed in."""
    with SyncOcrClient(setting(request.param)) as client:
        name = new_name()
        client.auth.register(RegisterRequest(user_name=name, password=PASSWORD))
        client.login(name, PASSWORD)
        yield client


def records_of(client: SyncOcrClient) -> list[UsageRecord]:
    """Wait until the ledger has the end of an extraction by this caller."""
    request = ListUsageRequest(filter=UsageFilter(method="OcrService/UploadExtract"))
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        records = client.usage.list_usage(request).records
        if records and records[0].status != "OPEN":
            return records
        time.sleep(0.05)
    raise TimeoutError


def test_a_scan_is_read_while_it_is_watched(client):
    events = list(client.extract(sample("scan.pdf")))
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert client.read(sample("scan.pdf")).text == "\f".join(expected_pages())


@pytest.mark.parametrize("by", ["leaving the loop", "close"])
def test_an_iterator_that_is_left_cancels_the_call(client, by: str):
    if by == "close":
        events = client.extract(sample("long.pdf"))
        while not next(events).delta:
            pass
        events.close()
    else:
        for event in client.extract(sample("long.pdf")):
            if event.delta:
                break
    [record] = records_of(client)
    assert record.status == "CANCELLED"
    assert record.usage.pages < 24


def test_what_fails_is_raised_where_it_is_read(client):
    with pytest.raises(OcrError) as refused:
        client.read(b"")
    assert refused.value.reason == "EMPTY_DOCUMENT"
    with pytest.raises(FileNotFoundError):
        list(client.extract("nothing.pdf"))


def test_a_batch_is_watched_and_downloaded(client, tmp_path: Path):
    batch = client.create_batch([sample("scan.pdf")])
    *_, last = client.watch(batch.batch_id)
    assert last.finished.state is BatchState.FINISHED
    assert client.download(batch.batch_id, tmp_path / "all.zip") > 0
    with (sample("text.pdf")).open("rb") as file:
        assert client.upload(file).file_name == "text.pdf"


def test_stubs_take_and_give_iterators(client):
    requests = [UploadExtractRequest(file_name="a.txt", content=HttpBody(data=b"Hello"))]
    events = client.ocr.upload_extract(requests)
    assert [event.page_finished.text for event in events if event.page_finished] == ["Hello"]
    uploads = (UploadDocumentRequest(content=HttpBody(data=each)) for each in (b"a", b"b"))
    assert client.batches.upload_document(uploads).document.size_bytes == 2


def test_threads_may_share_a_client(client):
    names: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: names.append(client.auth.get_me(GetMeRequest()).user.user_name)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(names) == 8
    assert len(set(names)) == 1


def test_logging_out_ends_the_session(client):
    client.logout()
    assert client.tokens is None
    with pytest.raises(OcrError):
        client.auth.get_me(GetMeRequest())


def test_calls_under_way_end_when_their_client_is_closed(client):
    events = client.extract(sample("long.pdf"))
    assert next(events).started
    told: list[str] = []

    def read() -> None:
        with pytest.raises(RuntimeError) as closed:
            client.read(sample("long.pdf"))
        told.append(str(closed.value))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    while not next(events).delta:
        pass
    client.close()
    for reader in readers:
        reader.join(30)
    assert told == ["The client is closed."] * 3
    with pytest.raises(RuntimeError, match="closed"):
        list(events)
    with pytest.raises(RuntimeError, match="closed"):
        client.auth.get_me(GetMeRequest())


def test_an_interrupt_cancels_the_call(client, request):
    # Whoever runs tests in the background has them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    main = threading.main_thread().ident
    events = client.extract(sample("long.pdf"))
    next(events)
    threading.Timer(0.1, signal.pthread_kill, [main, signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        list(events)
    assert [record.status for record in records_of(client)] == ["CANCELLED"]


def test_a_generator_that_is_dropped_in_a_cycle_cancels_the_call(client):
    cycle = {"events": client.extract(sample("long.pdf"))}
    next(cycle["events"])
    cycle["itself"] = cycle
    del cycle
    gc.collect()
    assert [record.status for record in records_of(client)] == ["CANCELLED"]
