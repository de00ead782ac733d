"""Uploads and streams over plain HTTP: sent in pieces, answered event by event."""

import base64
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.sidecar.calls import (
    JSON,
    NDJSON,
    SSE,
    curl,
    door,
    events,
    kinds,
    reason,
)
from tests.support import encoded, image_pdf, picture, text_pdf

GOOD = picture()
HANGING = GOOD.copy()
HANGING.paste(0, (0, 0, GOOD.width, 30))
"""A page over which the engine `hang` sends one line and no more."""

ONE_PAGE = ["started", "page_started", *["delta"] * 4, "page_finished", "finished"]
UPLOAD = "/v1/ocr:upload"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("streams")


@pytest.fixture(scope="module")
def client(folder):
    with door(folder, ENGINE="hang", ENGINE_WORKERS="2") as client:
        yield client


def open_extractions(client: httpx.Client) -> int:
    return client.get("/v1/admin/stats").json()["open_extractions"]


def until(condition: Callable[[], object], seconds: float = 30) -> float:
    """Wait for a condition and return the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "It never came true."
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_file_as_the_body_and_options_in_the_query_by_curl(client, tmp_path):
    file = tmp_path / "scan.pdf"
    file.write_bytes(image_pdf([GOOD, GOOD]))
    run = curl(
        *("--data-binary", f"@{file}"),
        f"{client.base_url}{UPLOAD}?options.mode=MODE_FORCE_OCR&options.pages=2&options.dpi=100",
    )
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert kinds(found) == ONE_PAGE
    assert found[0]["started"]["document_page_count"] == 2
    assert found[1]["page_started"]["page_number"] == 2
    assert found[0]["started"]["mode"] == "MODE_FORCE_OCR"
    assert found[0]["started"]["queue_position"] == 0  # zeros are printed
    assert found[-1]["finished"]["pages_failed"] == 0


def test_options_that_repeat_and_names_of_files_are_understood(client):
    query = "options.languages=de&options.languages=en&file_name=notes.md&request_id=r-1"
    answer = client.post(f"{UPLOAD}?{query}", content=b"# Title\n\nText", headers={"accept": "*/*"})
    assert events(answer)[0]["started"]["kind"] == "DOCUMENT_KIND_MARKDOWN"


@pytest.mark.parametrize("accept", ["*/*", NDJSON, JSON])
def test_a_stream_is_lines_of_json_unless_something_else_is_asked_for(client, accept):
    answer = client.post(UPLOAD, content=encoded(GOOD), headers={"accept": accept})
    assert kinds(events(answer)) == ONE_PAGE
    assert [event["sequence"] for event in events(answer)] == [*range(1, 9)]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [UPLOAD, "/v1/ocr:stream"])
def test_server_sent_events_are_a_header_away(client, path):
    data = encoded(GOOD)
    body = data if path == UPLOAD else json.dumps({"content": base64.b64encode(data).decode()})
    headers = {"accept": f"{SSE}, */*;q=0.1", "accept-encoding": "gzip"}
    headers |= {} if path == UPLOAD else {"content-type": JSON}
    answer = client.post(path, content=body, headers=headers)
    assert answer.headers["content-type"] == SSE
    assert "content-encoding" not in answer.headers
    messages = answer.text.removesuffix("\n\n").split("\n\n")
    assert all(message.startswith("data: {") for message in messages)
    assert kinds([json.loads(message.removeprefix("data: ")) for message in messages]) == ONE_PAGE


def test_events_arrive_while_the_document_is_still_read(client):
    """The page never ends, and what is known of it is here all the same, compressed or not."""
    for encoding in ("identity", "gzip"):
        headers = {"accept-encoding": encoding}
        with client.stream("POST", UPLOAD, content=encoded(HANGING), headers=headers) as answer:
            lines = answer.iter_lines()
            assert kinds([json.loads(next(lines)) for _ in range(3)]) == ONE_PAGE[:3]
            assert answer.headers.get("content-encoding", "identity") == encoding


def test_a_file_comes_in_pieces_and_waits_for_the_last(client):
    data = encoded(GOOD)

    def pieces():
        for start in range(0, len(data), 500):
            yield data[start : start + 500]
            time.sleep(0.02)

    assert kinds(events(client.post(UPLOAD, content=pieces()))) == ONE_PAGE


@pytest.mark.parametrize(
    ("query", "content", "status", "expected"),
    [
        ("", b"", 400, "EMPTY_DOCUMENT"),
        ("?options.pages=3", text_pdf(2), 400, "PAGE_OUT_OF_RANGE"),
        ("?options.dpi=7", text_pdf(1), 400, "INVALID_OPTION"),
        ("?options.dpi=many", text_pdf(1), 400, "MALFORMED_REQUEST"),
        ("?options.mode=MODE_X", text_pdf(1), 400, "MALFORMED_REQUEST"),
        ("?option.mode=MODE_AUTO", text_pdf(1), 400, "MALFORMED_REQUEST"),
        ("?size_bytes=7", text_pdf(1), 400, "UPLOAD_TRUNCATED"),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("accept", [NDJSON, SSE])
def test_what_is_refused_before_it_begins_is_refused_by_status(
    client, query, content, status, expected, accept
):
    answer = client.post(f"{UPLOAD}{query}", content=content, headers={"accept": accept})
    assert (answer.status_code, reason(answer)) == (status, expected)


def test_a_file_that_is_refused_early_need_not_be_sent_to_its_end(client, tmp_path):
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(4 * 2**20))
    url = f"{client.base_url}{UPLOAD}?size_bytes=9999999999999"
    run = curl("--data-binary", f"@{file}", "--write-out", "%{http_code}", url)
    assert run.stdout.endswith("400")
    assert '"reason":"DOCUMENT_TOO_LARGE"' in run.stdout


def test_a_client_that_hangs_up_ends_the_work(client):
    with client.stream("POST", UPLOAD, content=encoded(HANGING)) as answer:
        lines = answer.iter_lines()  # kept: without it httpx hangs up
        assert [json.loads(next(lines))["sequence"] for _ in range(3)] == [1, 2, 3]
        until(lambda: open_extractions(client) == 1)  # those of the test before have ended
    assert until(lambda: not open_extractions(client)) < 2


def test_a_client_that_hangs_up_while_it_sends_leaves_nothing_behind(client, folder):
    def spooled() -> list[Path]:
        return [*folder.glob("data/spool/*/document-*")]

    until(lambda: not spooled())
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        head = f"POST {UPLOAD} HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n"
        connection.sendall(head.encode() + text_pdf(1)[:1_000])
        until(spooled)
    until(lambda: not spooled())


def test_a_page_that_fails_is_told_in_the_stream_and_so_is_a_document(client):
    query = "options.mode=MODE_TEXT_LAYER_ONLY"
    answer = client.post(f"{UPLOAD}?{query}", content=image_pdf([GOOD]))
    # It ran, so its status was 200; the last event has the truth.
    assert answer.status_code == 200
    found = events(answer)
    assert kinds(found) == ["started", "page_finished", "failed"]
    assert found[-2]["page_finished"]["outcome"] == "PAGE_OUTCOME_FAILED"
    failed = found[-1]["failed"]
    assert (failed["reason"], failed["status"]["code"]) == ("NO_TEXT_LAYER", 3)
    assert failed["status"]["details"][0]["reason"] == "NO_TEXT_LAYER"
