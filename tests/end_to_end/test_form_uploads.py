"""Forms (multipart/form-data) on the upload route, as browsers, curl and httpx send them."""

import json
from collections.abc import Iterator

import httpx
import numpy as np
import psutil
import pytest

from ocr_grpc.v1 import options_pb2
from tests.processes import serve_http
from tests.support import text_pdf

DOCUMENT = text_pdf(3, 3)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[tuple[psutil.Process, httpx.Client]]:
    folder = tmp_path_factory.mktemp("forms")
    with (
        serve_http(folder, MAX_DOCUMENT_BYTES=str(150 * MIB)) as (process, _, url),
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield psutil.Process(process.pid), client


@pytest.fixture
def client(service) -> httpx.Client:
    return service[1]


def events(answer: httpx.Response) -> list[dict]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def post(client: httpx.Client, *parts: tuple, query: str = "") -> httpx.Response:
    """Send parts in exactly this order; those with a name are files."""
    fields = [(name, (None, *value) if len(value) == 1 else tuple(value)) for name, *value in parts]
    return client.post("/v1/ocr:upload" + query, files=fields)


def reason(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return answer.json()["details"][0]["reason"]


def pages_read(answer: httpx.Response) -> list[int]:
    ends = (event.get("page_finished") for event in events(answer))
    return sorted(end["page_number"] for end in ends if end)


FILE = ("file", "scan.pdf", DOCUMENT, "application/pdf")


def test_a_file_alone_is_read(client):
    answer = post(client, FILE)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert pages_read(answer) == [1, 2, 3]
    assert events(answer)[0]["started"]["size_bytes"] == str(len(DOCUMENT))


def test_options_may_stand_before_the_file_and_after_it(client):
    mode, pages = ("mode", b"text-layer-only"), ("options.pages", b"2-")
    for parts in ((mode, pages, FILE), (mode, FILE, pages), (FILE, pages, mode)):
        answer = post(client, *parts)
        assert pages_read(answer) == [2, 3]
        assert events(answer)[0]["started"]["mode"] == "MODE_TEXT_LAYER_ONLY"


def test_every_option_can_be_a_field(client):
    values = {
        "mode": "MODE_AUTO",
        "pages": "1",
        "dpi": "150",
        "languages": "de,fr",
        "engine": "null",
        "prompt": "",
        "password": "unused",
        "text_format": "plain",
        "skip_pictures": "true",
        "page_image_side_px": "64",
        "quality": "final",
        "words": "true",
        "skip_cache": "true",
    }
    assert set(values) == set(options_pb2.ExtractOptions.DESCRIPTOR.fields_by_name)
    parts = [(name, value.encode()) for name, value in values.items()]
    kinds = [set(event) - {"sequence"} for event in events(post(client, FILE, *parts))]
    assert {"page_image"} in kinds


def test_the_query_gives_defaults_and_no_contradictions(client):
    query = "?options.pages=1&file_name=a.pdf&request_id=one"
    assert pages_read(post(client, FILE, ("request_id", b"one"), query=query)) == [1]
    assert reason(post(client, FILE, ("pages", b"2"), query=query)) == "INVALID_OPTION"
    assert reason(post(client, FILE, ("request_id", b"two"), query=query)) == "INVALID_OPTION"


def test_a_form_may_ask_for_events_that_can_be_had_again(client):
    for answer in (
        post(client, FILE, ("resumable", b"true")),
        post(client, FILE, query="?resumable=true"),
    ):
        sent = events(answer)
        path = f"/v1/extractions/{sent[0]['started']['extraction_id']}:resume"
        assert events(client.get(path)) == sent
        assert events(client.get(path, params={"after_sequence": 3})) == sent[3:]
    as_events = client.get(path, headers={"accept": "text/event-stream"})
    assert as_events.headers["content-type"] == "text/event-stream"
    assert as_events.text.count("data: ") == len(sent)
    contradiction = post(client, FILE, ("resumable", b"false"), query="?resumable=true")
    assert reason(contradiction) == "INVALID_OPTION"
    path = events(post(client, FILE))[0]["started"]["extraction_id"]
    unkept = client.get(f"/v1/extractions/{path}:resume")
    assert (unkept.status_code, unkept.json()["details"][0]["reason"]) == (
        404,
        "EXTRACTION_NOT_FOUND",
    )


def test_a_repetition_with_the_same_request_id_must_be_one(client):
    assert pages_read(post(client, FILE, ("request_id", b"form-1"))) == [1, 2, 3]
    assert pages_read(post(client, ("request_id", b"form-1"), FILE)) == [1, 2, 3]
    answer = post(client, FILE, ("request_id", b"form-1"), ("pages", b"1"))
    assert answer.json()["details"][0]["reason"] == "REQUEST_ID_REUSED"


def test_the_name_of_the_file_is_a_hint_as_ever(client):
    table = b"name,amount\nAda,1\nBob,2\n"
    assert events(post(client, ("file", "a.csv", table)))[0]["started"]["kind"] == (
        "DOCUMENT_KIND_CSV"
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("prompt", b"Read this"), FILE], "PROMPT_NOT_SUPPORTED"),
        ([FILE, ("prompt", b"Read this")], "PROMPT_NOT_SUPPORTED"),
        ([FILE, ("pages", b"4")], "PAGE_OUT_OF_RANGE"),
        ([FILE, ("mode", b"fast")], "INVALID_OPTION"),
        ([FILE, ("unknown", b"x")], "INVALID_OPTION"),
        ([("unknown", b"x"), FILE], "INVALID_OPTION"),
        ([FILE, FILE], "INVALID_OPTION"),
        ([("mode", b"auto")], "DOCUMENT_MISSING"),
        ([("file", "scan.pdf", b"")], "EMPTY_DOCUMENT"),
    ],
)
def test_what_cannot_be_honoured_is_refused_wherever_it_stands(client, parts, expected):
    assert reason(post(client, *parts)) == expected


def test_what_is_no_form_is_refused(client):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    for body, expected in (
        (b"%PDF-1.7", "MALFORMED_REQUEST"),
        (b"", "UPLOAD_TRUNCATED"),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n%PDF', "UPLOAD_TRUNCATED"),
    ):
        answer = client.post("/v1/ocr:upload", content=body, headers=headers)
        assert reason(answer) == expected
    answer = client.post(
        "/v1/ocr:upload", content=b"x", headers={"content-type": "multipart/form-data"}
    )
    assert reason(answer) == "MALFORMED_REQUEST"


def test_a_body_of_another_type_is_the_document_itself(client):
    answer = client.post(
        "/v1/ocr:upload?options.pages=3",
        content=DOCUMENT,
        headers={"content-type": "application/octet-stream"},
    )
    assert pages_read(answer) == [3]


def test_a_file_over_the_limit_is_refused(client):
    large = DOCUMENT + b"%" + bytes(150 * MIB)
    answer = post(client, ("file", "large.pdf", large))
    assert answer.status_code in (400, 413)


def test_a_large_form_does_not_grow_the_service(service):
    """Neither the server nor the sidecar; options come after the file."""
    process, client = service
    large = DOCUMENT + b"%" + np.random.default_rng(1).bytes(100 * MIB)

    def held() -> int:
        return sum(each.memory_info().rss for each in (process, *sidecars))

    sidecars = [each for each in process.children() if "envoy" in each.name()]
    assert sidecars
    post(client, FILE)
    before = held()
    answer = post(client, ("file", "large.pdf", large), ("pages", b"2"))
    assert pages_read(answer) == [2]
    assert events(answer)[0]["started"]["size_bytes"] == str(len(large))
    assert held() - before < 64 * MIB
