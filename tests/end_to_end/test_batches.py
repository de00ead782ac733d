"""Batches through both doors of a server: made, watched, listed, fetched, ended."""

import base64
import io
import json
import threading
import zipfile
from collections.abc import Iterator

import grpc
import httpx
import pytest

from ocr_grpc.v1 import batch_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb
from ocr_grpc.v1 import ocr_service_pb2 as ocr_pb
from ocr_grpc.v1.batch_service_pb2_grpc import BatchServiceStub
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.people import ADMIN_NAME, ADMIN_PASSWORD, PASSWORD, Metadata, bearer
from tests.processes import serve_http
from tests.sidecar.calls import JSON, NDJSON, SSE, client_of, events, reason
from tests.support import (
    channel_to,
    collect,
    encoded,
    picture,
    reason_of,
    refusal,
    running,
    text_pdf,
)

TEXT = b"# Oak boards\n\nThree pieces.\n"
GOOD = picture()
GOOD.paste(0, (0, 0, GOOD.width, 30))
HANGING = encoded(GOOD)
"""A page over which the engine `hang` sends one line and no more."""

INLINE_BYTES = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def doors(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """The addresses for gRPC and for HTTP."""
    settings = {"AUTH_ENABLED": "true", "BOOTSTRAP_PASS": ADMIN_PASSWORD}
    settings |= {"BATCHES_IN_SERVE": "true"}
    settings |= {"ANONYMOUS_CALLS_PER_MINUTE": "0", "MAX_INLINE_BYTES": str(INLINE_BYTES)}
    settings |= {
        "USER_CONCURRENT_STREAMS": "2",
        "BATCH_RETENTION_HOURS": "48",
        "ENGINE": "hang",
        "ENGINE_WORKERS": "2",
    }
    with serve_http(tmp_path_factory.mktemp("batches"), **settings) as (_, address, url):
        yield address, url


@pytest.fixture(scope="module")
def client(doors):
    with client_of(doors[1]) as client:
        token = _token(client, ADMIN_NAME, ADMIN_PASSWORD)
        client.headers["authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture(scope="module")
def admin(client) -> Metadata:
    return bearer(client.headers["authorization"].removeprefix("Bearer "))


@pytest.fixture(scope="module")
def bob(client) -> Metadata:
    user = {"user_name": "bob", "password": PASSWORD}
    assert client.post("/v1/auth/register", json=user).status_code == 200
    return bearer(_token(client, "bob", PASSWORD))


@pytest.fixture(scope="module")
def stub(doors):
    with grpc.insecure_channel(doors[0]) as channel:
        yield BatchServiceStub(channel)


def _token(client: httpx.Client, name: str, password: str) -> str:
    answer = client.post("/v1/auth/login", json={"user_name": name, "password": password})
    return answer.json()["access_token"]


def upload_of(data: bytes, **first) -> Iterator[pb.UploadDocumentRequest]:
    yield pb.UploadDocumentRequest(**first)
    for start in range(0, len(data), 1000):
        yield pb.UploadDocumentRequest(content={"data": data[start : start + 1000]})


def kinds(watched) -> list[str]:
    return [event.WhichOneof("event") for event in watched]


def finished_batch(stub, admin, *documents: pb.NewBatchDocument) -> batch_pb2.Batch:
    """Make a batch and wait for its end."""
    request = pb.CreateBatchRequest(documents=documents or [{"content": TEXT}])
    made = stub.CreateBatch(request, metadata=admin, timeout=60).batch
    watching = pb.WatchBatchRequest(batch_id=made.batch_id)
    return list(stub.WatchBatch(watching, metadata=admin, timeout=60))[-1].finished


def refused(call) -> str:
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value.code().name


def test_a_batch_is_made_watched_listed_and_fetched(stub, admin):
    upload = stub.UploadDocument(
        upload_of(text_pdf(3), file_name="three.pdf"), metadata=admin, timeout=60
    ).document
    request = pb.CreateBatchRequest(
        documents=[
            {"content": TEXT, "file_name": "boards.md"},
            {"upload_id": upload.upload_id, "options": {"pages": "2-3"}},
            {"content": b"\x7fELF not a document" + bytes(range(200))},
        ],
        options={"dpi": 200, "password": "open sesame"},
        display_name="three",
        priority=batch_pb2.BATCH_PRIORITY_HIGH,
    )
    made = stub.CreateBatch(request, metadata=admin, timeout=60).batch
    assert (made.progress.documents, made.display_name) == (3, "three")
    assert (made.options.dpi, made.options.password) == (200, "")
    watching = pb.WatchBatchRequest(batch_id=made.batch_id, pages=True)
    watched = list(stub.WatchBatch(watching, metadata=admin, timeout=60))
    assert [event.sequence for event in watched] == [*range(1, len(watched) + 1)]
    assert sorted(kinds(watched)) == sorted(
        ["document_started"] * 2 + ["page_finished"] * 3 + ["document_finished"] * 3 + ["finished"]
    )
    pages = [each.page_finished for each in watched if each.HasField("page_finished")]
    assert sorted(page.page_number for page in pages) == [1, 2, 3]
    assert all("Oak" in page.page.text or "Page" in page.page.text for page in pages)
    last = watched[-1].finished
    assert last.state == batch_pb2.BATCH_STATE_FINISHED
    assert (last.progress.documents_finished, last.progress.documents_failed) == (2, 1)
    assert (last.progress.pages, last.progress.pages_ok, last.usage.pages) == (3, 3, 3)
    assert last == stub.GetBatch(pb.GetBatchRequest(batch_id=made.batch_id), metadata=admin).batch
    listed = stub.ListBatches(pb.ListBatchesRequest(), metadata=admin).batches
    assert made.batch_id in [batch.batch_id for batch in listed]
    documents = stub.ListBatchDocuments(
        pb.ListBatchDocumentsRequest(batch_id=made.batch_id), metadata=admin
    ).documents
    assert [each.file_name for each in documents] == ["boards.md", "three.pdf", ""]
    assert [each.page_count for each in documents] == [1, 2, 0]
    failed = batch_pb2.DOCUMENT_STATE_FAILED
    assert (documents[2].state, documents[2].reason) == (failed, "UNKNOWN_FORMAT")
    one = stub.GetBatchDocument(
        pb.GetBatchDocumentRequest(batch_id=made.batch_id, document_id=documents[1].document_id),
        metadata=admin,
    ).document
    assert one == documents[1]


def test_nobody_else_sees_a_batch_not_even_administrators(stub, admin, bob):
    made = stub.CreateBatch(
        pb.CreateBatchRequest(documents=[{"content": TEXT}]), metadata=bob, timeout=60
    ).batch
    batch_id = made.batch_id
    calls = [
        lambda: stub.GetBatch(pb.GetBatchRequest(batch_id=batch_id), metadata=admin),
        lambda: list(stub.WatchBatch(pb.WatchBatchRequest(batch_id=batch_id), metadata=admin)),
        lambda: stub.CancelBatch(pb.CancelBatchRequest(batch_id=batch_id), metadata=admin),
        lambda: stub.DeleteBatch(pb.DeleteBatchRequest(batch_id=batch_id), metadata=admin),
        lambda: list(
            stub.DownloadBatch(
                pb.DownloadBatchRequest(batch_id=batch_id, partial=True), metadata=admin
            )
        ),
    ]
    assert [refused(call) for call in calls] == ["NOT_FOUND"] * len(calls)
    assert (
        refused(lambda: stub.DeleteBatch(pb.DeleteBatchRequest(batch_id="\0"), metadata=admin))
        == "NOT_FOUND"
    )


def test_an_upload_is_used_by_its_owner_until_it_is_deleted(stub, admin, bob):
    upload = stub.UploadDocument(upload_of(TEXT), metadata=bob, timeout=60).document
    assert upload.size_bytes == len(TEXT)
    request = pb.CreateBatchRequest(documents=[{"upload_id": upload.upload_id}])
    assert refused(lambda: stub.CreateBatch(request, metadata=admin)) == "NOT_FOUND"
    deletion = pb.DeleteUploadRequest(upload_id=upload.upload_id)
    assert refused(lambda: stub.DeleteUpload(deletion, metadata=admin)) == "NOT_FOUND"
    stub.DeleteUpload(deletion, metadata=bob)
    assert refused(lambda: stub.CreateBatch(request, metadata=bob)) == "NOT_FOUND"


def hanging_batch(stub, who: Metadata) -> tuple[str, grpc.Call]:
    """Make a batch whose second document is never read; return it and what watches it."""
    documents = [{"content": TEXT}, {"content": HANGING}]
    made = stub.CreateBatch(pb.CreateBatchRequest(documents=documents), metadata=who, timeout=60)
    batch_id = made.batch.batch_id
    watching = pb.WatchBatchRequest(batch_id=batch_id)
    events = stub.WatchBatch(watching, metadata=who, timeout=60)
    began, ended = 0, False
    while began < 2 or not ended:
        event = next(events)
        began += event.HasField("document_started")
        ended |= event.HasField("document_finished")
    return batch_id, events


def test_uploads_are_bounded_as_extractions_are(stub, bob):
    go_on = threading.Event()

    def held() -> Iterator[pb.UploadDocumentRequest]:
        yield pb.UploadDocumentRequest(file_name="a.txt")
        assert go_on.wait(60)
        yield pb.UploadDocumentRequest(content={"data": TEXT})

    calls = [stub.UploadDocument.future(held(), metadata=bob, timeout=60) for _ in range(3)]
    [refused] = wait_for_any(calls)
    go_on.set()
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(refused.exception()) == "TOO_MANY_STREAMS"
    assert sum(call.exception() is None for call in calls) == 2


def wait_for_any(calls: list[grpc.Future]) -> list[grpc.Future]:
    ended = threading.Event()
    for call in calls:
        call.add_done_callback(lambda _: ended.set())
    assert ended.wait(60)
    return [call for call in calls if call.done()]


def test_what_is_being_read_can_be_cancelled(stub, admin):
    batch_id, watching = hanging_batch(stub, admin)
    request = pb.CancelBatchRequest(batch_id=batch_id)
    batch = stub.CancelBatch(request, metadata=admin, timeout=60).batch
    assert batch.state == batch_pb2.BATCH_STATE_CANCELLED
    assert (batch.progress.documents_finished, batch.progress.documents_cancelled) == (1, 1)
    assert (batch.progress.pages_ok, batch.usage.pages) == (1, 1)
    assert list(watching)[-1].finished == batch


def test_whoever_watches_hears_that_the_batch_was_deleted(stub, admin):
    batch_id, watching = hanging_batch(stub, admin)
    stub.DeleteBatch(pb.DeleteBatchRequest(batch_id=batch_id), metadata=admin, timeout=60)
    assert refused(lambda: list(watching)) == "ABORTED"


def test_a_revoked_key_watches_no_longer(stub, client, admin):
    asked = {"key": {"display_name": "watcher", "scopes": ["SCOPE_BATCHES"]}}
    made = client.post("/v1/keys", json=asked).json()
    batch_id, watching = hanging_batch(stub, (("x-api-key", made["secret"]),))
    assert client.delete(f"/v1/keys/{made['key']['key_id']}").status_code == 200
    assert refused(lambda: list(watching)) == "UNAUTHENTICATED"
    stub.CancelBatch(pb.CancelBatchRequest(batch_id=batch_id), metadata=admin, timeout=60)


def test_a_batch_that_has_ended_stays_as_it_is_until_it_is_deleted(stub, admin):
    made = finished_batch(stub, admin)
    cancelled = stub.CancelBatch(pb.CancelBatchRequest(batch_id=made.batch_id), metadata=admin)
    assert cancelled.batch == made  # it had ended
    stub.DeleteBatch(pb.DeleteBatchRequest(batch_id=made.batch_id), metadata=admin)
    asked = pb.GetBatchRequest(batch_id=made.batch_id)
    assert refused(lambda: stub.GetBatch(asked, metadata=admin)) == "NOT_FOUND"


def test_a_batch_over_http_is_json_and_its_events_are_lines_or_server_sent_events(client):
    content = base64.b64encode(TEXT).decode()
    body = {"documents": [{"content": content, "file_name": "boards.md"}], "request_id": "r-7"}
    made = client.post("/v1/batches", json=body).json()["batch"]
    assert made["batch_id"] == client.post("/v1/batches", json=body).json()["batch"]["batch_id"]
    reused = client.post("/v1/batches", json={**body, "display_name": "other"})
    assert (reused.status_code, reason(reused)) == (400, "REQUEST_ID_REUSED")
    url = f"/v1/batches/{made['batch_id']}"
    found = events(client.get(f"{url}:watch", headers={"accept": NDJSON}))
    assert [
        next(iter(each.keys() - {"sequence", "create_time", "progress"})) for each in found
    ] == [
        "document_started",
        "page_finished",
        "document_finished",
        "finished",
    ]
    answer = client.get(
        f"{url}:watch", params={"after_sequence": 2, "pages": True}, headers={"accept": SSE}
    )
    assert answer.headers["content-type"] == SSE
    sent = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert [json.loads(each)["sequence"] for each in sent] == [3, 4]
    beyond = client.get(f"{url}:watch", params={"after_sequence": 5})
    assert (beyond.status_code, reason(beyond)) == (400, "SEQUENCE_OUT_OF_RANGE")
    assert client.get(url).json()["batch"]["state"] == "BATCH_STATE_FINISHED"
    assert client.post(f"{url}:cancel", json={}).status_code == 200
    assert client.delete(url).status_code == 200
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("accept", ["*/*", SSE, NDJSON])
def test_results_over_http_are_files_whatever_is_accepted(client, stub, admin, accept):
    made = finished_batch(stub, admin, pb.NewBatchDocument(content=TEXT, file_name="boards.md"))
    url = f"/v1/batches/{made.batch_id}"
    [document] = client.get(f"{url}/documents").json()["documents"]
    headers = {"accept": accept}
    one = f"{url}/documents/{document['document_id']}:download"
    whole = client.get(one, headers=headers)
    assert whole.headers["content-type"].partition(";")[0] == JSON
    assert whole.json()["pages"][0]["text"].startswith("# Oak boards")
    text = client.get(one, headers=headers, params={"format": "RESULT_FORMAT_TEXT"})
    assert text.headers["content-type"].partition(";")[0] == "text/plain"
    assert "Three pieces." in text.text
    answer = client.get(f"{url}:download", headers=headers)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("boards.md.json") for name in archive.namelist())


def test_a_file_is_uploaded_over_http_as_the_body_or_in_a_form(client):
    scan = encoded(picture())
    answer = client.post("/v1/documents", params={"file_name": "scan.png"}, content=scan)
    upload = answer.json()["document"]
    assert (upload["file_name"], upload["size_bytes"]) == ("scan.png", str(len(scan)))
    form = client.post("/v1/documents", files={"file": ("form.png", scan)}).json()["document"]
    assert (form["file_name"], form["sha256"]) == ("form.png", upload["sha256"])
    assert client.delete(f"/v1/documents/{form['upload_id']}").status_code == 200


def test_documents_in_a_request_may_be_as_large_as_one_of_extract(client):
    large = base64.b64encode(TEXT + b" " * (INLINE_BYTES - len(TEXT))).decode()
    answer = client.post("/v1/batches", json={"documents": [{"content": large}]})
    assert answer.status_code == 200, answer.text
    more = client.post("/v1/batches", json={"documents": [{"content": large}, {"content": "QQ=="}]})
    assert (more.status_code, reason(more)) == (400, "DOCUMENT_TOO_LARGE")


def test_what_a_server_takes_is_told(client):
    limits = client.get("/v1/ocr/capabilities").json()["limits"]
    assert limits["max_batch_documents"] == 1_000
    assert limits["max_retention_hours"] == 48
    assert limits["resumable_seconds"] == 900


@pytest.mark.parametrize(
    ("document", "said", "field"),
    [
        ({}, "INVALID_OPTION", "documents[0]"),
        ({"url": "http://127.0.0.1/x"}, "URL_NOT_ALLOWED", "documents[0].url"),
        ({"content": "QQ==", "upload_id": "x"}, "INVALID_OPTION", "documents[0]"),
        (
            {"content": "QQ==", "options": {"dpi": 7}},
            "INVALID_OPTION",
            "documents[0].options.dpi",
        ),
        (
            {"content": "QQ==", "file_name": "x" * 256},
            "INVALID_FILE_NAME",
            "documents[0].file_name",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_field(client, document, said, field):
    answer = client.post("/v1/batches", json={"documents": [document]})
    assert (answer.status_code, reason(answer)) == (400, said)
    details = {each["@type"].rpartition(".")[2]: each for each in answer.json()["details"]}
    assert details["BadRequest"]["field_violations"][0]["field"] == field


def test_dead_letters_are_for_administrators(client, doors, bob):
    assert client.get("/v1/admin/deadLetters").json() == {
        "dead_letters": [],
        "next_page_token": "",
    }
    again = client.post("/v1/admin/deadLetters/7:resend", json={})
    assert (again.status_code, reason(again)) == (404, "DEAD_LETTER_NOT_FOUND")
    with client_of(doors[1]) as other:
        headers = dict(bob)
        assert other.get("/v1/admin/deadLetters", headers=headers).status_code == 403


async def test_documents_that_nobody_waits_for_may_wait_their_turn_for_long(tmp_path):
    content = text_pdf(3)
    values = {"document_timeout_seconds": 0.001, "batches_in_serve": True}
    async with running(tmp_path, **values) as server, channel_to(server) as channel:
        call = OcrServiceStub(channel).Extract(ocr_pb.ExtractRequest(content=content))
        assert (await refusal(call))[1] == "DOCUMENT_TIMED_OUT"
        stub = BatchServiceStub(channel)
        made = await stub.CreateBatch(pb.CreateBatchRequest(documents=[{"content": content}]))
        watching = pb.WatchBatchRequest(batch_id=made.batch.batch_id)
        seen = await collect(stub.WatchBatch(watching))
    assert seen[-1].finished.progress.pages_ok == 3
