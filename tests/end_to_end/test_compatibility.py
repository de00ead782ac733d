"""Clients of other services, which change nothing but their base URL and key."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import openai
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.processes import serve_http
from tests.support import NO_DOCUMENT, encoded, picture, text_pdf

PASSWORD = "correct horse battery"
NULL_TEXT = "null line 1\nnull line 2\nnull line 3\nnull line 4"
MAX_INLINE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Door:
    """A running service and a key for it."""

    url: str
    headers: dict[str, str]
    key: str

    def new_key(self, **fields) -> str:
        made = httpx.post(f"{self.url}/v1/keys", json={"key": fields}, headers=self.headers)
        return made.json()["secret"]

    def post(self, path: str, body: dict) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers=self.headers, timeout=30)


@pytest.fixture(scope="module")
def door(tmp_path_factory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    values = {"AUTH_ENABLED": "true", "BOOTSTRAP_USER": "admin", "BOOTSTRAP_PASS": PASSWORD}
    values |= {"MAX_INLINE_BYTES": str(MAX_INLINE_BYTES)}
    with serve_http(folder, **values) as (_, _, url):
        login = {"user_name": "admin", "password": PASSWORD}
        tokens = httpx.post(f"{url}/v1/auth/login", json=login).json()
        door = Door(url, {"authorization": f"Bearer {tokens['access_token']}"}, "")
        yield Door(url, door.headers, door.new_key(scopes=["SCOPE_OCR"]))


@contextmanager
def opened(door: Door, key: str = "") -> Iterator[openai.OpenAI]:
    """Yield OpenAI's client."""
    client = openai.OpenAI(base_url=f"{door.url}/v1", api_key=key or door.key, max_retries=0)
    with client:
        yield client


@pytest.fixture
def client(door) -> Iterator[openai.OpenAI]:
    with opened(door) as client:
        yield client


@pytest.fixture
def mistral(door) -> Iterator[Mistral]:
    with Mistral(api_key=door.key, server_url=door.url) as client:
        yield client


def uri(content: bytes, media_type: str = "application/pdf") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def pdf_text(pages: int, lines: int = 3) -> list[str]:
    return [
        "\n".join(f"Page {page}, line {line}: the quick brown fox." for line in range(lines))
        for page in range(1, pages + 1)
    ]


def pdf_with_a_huge_page() -> bytes:
    """Three pages, of which the second is a picture five metres wide."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    canvas.drawString(60, 700, "Page 1")
    canvas.showPage()
    canvas.setPageSize((14_400, 14_400))
    canvas.drawImage(ImageReader(picture()), 0, 0, 14_400, 14_400)
    canvas.showPage()
    canvas.setPageSize(A4)
    canvas.drawString(60, 700, "Page 3")
    canvas.save()
    return buffer.getvalue()


def image_part(content: bytes | None = None) -> dict:
    image = encoded(picture()) if content is None else content
    return {"type": "image_url", "image_url": {"url": uri(image, "image/png")}}


def file_part(content: bytes) -> dict:
    return {"type": "file", "file": {"filename": "a.pdf", "file_data": uri(content)}}


def user(*parts: dict) -> list[dict]:
    return [{"role": "user", "content": [{"type": "text", "text": "OCR this"}, *parts]}]


def test_mistrals_client_reads_a_document(mistral):
    document = {"type": "document_url", "document_url": uri(text_pdf(5, 3))}
    answer = mistral.ocr.process(
        model="mistral-ocr-latest", document=document, pages="0,3-4", include_image_base64=True
    )
    assert [page.index for page in answer.pages] == [0, 3, 4]
    expected = pdf_text(5)
    assert [page.markdown for page in answer.pages] == [expected[0], expected[3], expected[4]]
    assert all(page.images == [] for page in answer.pages)
    size = answer.pages[0].dimensions
    assert (size.dpi, size.width, size.height) == (200, 1654, 2339)
    assert answer.model == "null"
    assert answer.usage_info.pages_processed == 3
    assert answer.usage_info.doc_size_bytes == len(text_pdf(5, 3))


def test_mistrals_client_reads_an_image_and_a_text(mistral):
    image = {"type": "image_url", "image_url": uri(encoded(picture()), "image/png")}
    answer = mistral.ocr.process(model="null", document=image)
    assert answer.pages[0].markdown == NULL_TEXT
    page = {"type": "document_url", "document_url": "data:text/html,<h1>Title</h1><p>Words</p>"}
    answer = mistral.ocr.process(model=None, document=page)
    assert answer.pages[0].markdown == "# Title\n\nWords"
    assert answer.pages[0].dimensions is None


def test_mistrals_client_understands_a_refusal(door):
    document = {"type": "document_url", "document_url": uri(text_pdf(1, 1))}
    for key, fields, code, words in (
        ("wrong", {}, 401, "not valid"),
        (door.key, {"pages": [7]}, 400, "Page 8"),
        (door.key, {"table_format": "html"}, 400, "table_format"),
        (door.key, {"model": "unknown"}, 400, "unknown"),
    ):
        with (
            Mistral(api_key=key, server_url=door.url) as client,
            pytest.raises(SDKError) as refused,
        ):
            client.ocr.process(**{"model": "default", "document": document, **fields})
        assert refused.value.status_code == code
        assert words in refused.value.body


def test_a_page_that_cannot_be_read_is_named(door, client):
    """The second one has more pixels than are read."""
    pages = pdf_with_a_huge_page()
    answer = door.post("/v1/ocr", {"model": "null", "document": {"image_url": uri(pages)}}).json()
    assert [page["markdown"] for page in answer["pages"]] == ["Page 1", "", "Page 3"]
    reasons = [page.get("error", {}).get("reason") for page in answer["pages"]]
    assert reasons == [None, "PAGE_TOO_LARGE", None]
    assert answer["usage_info"]["pages_processed"] == 2

    messages = user(image_part(), file_part(pages))
    whole = client.chat.completions.create(model="null", messages=messages)
    chunks = list(client.chat.completions.create(model="null", messages=messages, stream=True))
    for last in (whole, chunks[-1]):
        (failed,) = last.failed_pages
        assert (failed["document"], failed["page_number"]) == (1, 2)
        assert failed["reason"] == "PAGE_TOO_LARGE"
        assert last.choices[0].finish_reason == "stop"
    assert whole.choices[0].message.content == f"{NULL_TEXT}\n\nPage 1\n\nPage 3"


def test_openais_client_reads_the_documents_of_a_conversation(client):
    messages = [*user(image_part()), {"role": "assistant", "content": "x"}]
    messages += user(file_part(text_pdf(3, 3)), image_part())
    answer = client.chat.completions.create(model="default", messages=messages, temperature=0)
    expected = [NULL_TEXT, *pdf_text(3), NULL_TEXT]
    assert answer.choices[0].message.content == "\n\n".join(expected)
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.object == "chat.completion"
    assert answer.model == "null"
    assert answer.usage.total_tokens == 0


def test_openais_client_streams(client):
    stream = client.chat.completions.create(
        model="null",
        messages=user(image_part(), file_part(text_pdf(3, 3))),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert deltas[0].role == "assistant"
    assert [delta.content for delta in deltas[1:5]] == [
        "null line 1",
        "\nnull line 2",
        "\nnull line 3",
        "\nnull line 4",
    ]
    text = "".join(delta.content or "" for delta in deltas)
    assert text == "\n\n".join([NULL_TEXT, *pdf_text(3)])
    assert [chunk.choices[0].finish_reason for chunk in chunks[-3:-1]] == [None, "stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_openais_client_lists_the_models(client):
    assert [model.id for model in client.models.list()] == ["null"]
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("null")
    assert refused.value.body["details"][0]["reason"] == "PATH_NOT_FOUND"


def test_openais_client_raises_its_own_errors(client):
    with pytest.raises(openai.BadRequestError, match="reads documents"):
        client.chat.completions.create(model="null", messages=user())
    with pytest.raises(openai.BadRequestError, match="no engine 'ppocr2'"):
        client.chat.completions.create(model="ppocr2", messages=user(image_part()))
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(
                model="null", messages=user(image_part(NO_DOCUMENT)), stream=stream
            )
        error = refused.value
        assert error.body["details"][0]["reason"] == "UNKNOWN_FORMAT"
        assert (error.status_code, error.code, error.type) == (400, "3", None)
        assert error.message.startswith("Error code: 400 - The content is of no known format.")


def test_openais_client_knows_a_wrong_key_and_a_limit(door):
    with (
        opened(door, "wrong") as client,
        pytest.raises(openai.AuthenticationError, match="the key"),
    ):
        client.models.list()
    tight = door.new_key(scopes=["SCOPE_OCR"], limits={"calls_per_minute": 1})
    with opened(door, tight) as client:
        client.models.list()
        with pytest.raises(openai.RateLimitError, match="Try again"):
            client.models.list()


def test_a_failure_in_the_middle_of_a_stream_reaches_the_client(client):
    stream = client.chat.completions.create(
        model="null", messages=user(image_part(), image_part(NO_DOCUMENT)), stream=True
    )
    text, failure = "", None
    try:
        for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        failure = error
    assert text == NULL_TEXT
    assert type(failure) is openai.APIError
    assert failure.code == "UNKNOWN_FORMAT"
    assert failure.type == "invalid_argument"
    assert not failure.message.startswith("Error code")


def test_every_call_is_charged_by_the_page(door):
    key = door.new_key(scopes=["SCOPE_OCR"], limits={"pages_per_month": 5})
    with opened(door, key) as client:
        create = client.chat.completions.create
        create(model="null", messages=user(file_part(text_pdf(4, 3))))
        with pytest.raises(openai.RateLimitError) as refused:
            create(model="null", messages=user(file_part(text_pdf(2, 3))))
        assert refused.value.body["details"][0]["reason"] == "QUOTA_EXCEEDED"
        create(model="null", messages=user(image_part()))


@pytest.mark.parametrize("stream", [False, True])
def test_every_document_of_a_call_is_charged(door, stream):
    key = door.new_key(scopes=["SCOPE_OCR"], limits={"pages_per_month": 6})
    with opened(door, key) as client:
        create = client.chat.completions.create
        if not stream:
            with pytest.raises(openai.BadRequestError):
                create(model="null", messages=user(image_part(), image_part(NO_DOCUMENT)))
        answer = create(
            model="null",
            messages=user(*[image_part()] * 3, file_part(text_pdf(3, 1))),
            stream=stream,
        )
        list(answer)
        with pytest.raises(openai.RateLimitError) as refused:
            create(model="null", messages=user(image_part()))
        assert refused.value.body["details"][0]["reason"] == "QUOTA_EXCEEDED"


def test_what_is_too_large_is_refused_before_it_is_all_there(door):
    for size in (MAX_INLINE_BYTES + 1, 4 * MAX_INLINE_BYTES):
        body = {"model": "null", "document": {"document_url": uri(bytes(size))}}
        answer = door.post("/v1/ocr", body)
        assert answer.status_code == 400
        assert answer.json()["details"][0]["reason"] == "DOCUMENT_TOO_LARGE"
        assert answer.json()["details"][0]["metadata"]["setting"] == "MAX_INLINE_BYTES"


def test_what_is_no_json_is_refused(door):
    for content, reason in ((b"", "MALFORMED_REQUEST"), (b"{", "MALFORMED_REQUEST")):
        answer = httpx.post(f"{door.url}/v1/ocr", content=content, headers=door.headers)
        assert answer.status_code == 400
        assert answer.json()["details"][0]["reason"] == reason


def test_urls_are_not_fetched_unless_a_setting_says_so(door):
    for url in ("https://example.com/a.pdf", "http://169.254.169.254/latest/meta-data/"):
        answer = door.post("/v1/ocr", {"model": "null", "document": {"document_url": url}})
        assert answer.status_code == 400
        assert answer.json()["details"][0]["reason"] == "URL_NOT_ALLOWED"


def test_an_answer_of_any_size_arrives_whole(door):
    """Larger than the sidecar's buffers; as text/plain, which is read in pages."""
    text = "\n".join(f"Line {number} of many, and then some." for number in range(1_200))
    assert 20 * len(text) < MAX_INLINE_BYTES
    messages = user(*[file_part(text.encode())] * 20)
    answer = door.post("/v1/chat/completions", {"model": "null", "messages": messages})
    assert answer.status_code == 200
    content = json.loads(answer.content)["choices"][0]["message"]["content"]
    assert content.count("Line 1199 of many") == 20
