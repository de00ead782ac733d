"""CompatibilityService: all of its RPCs, whose bodies are JSON."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from conftest import expected_pages, sample

from ocr_grpc_client import OcrError
from ocr_grpc_client.messages import (
    CreateChatCompletionRequest,
    HttpBody,
    ListModelsRequest,
    RecognizeDocumentRequest,
)


def scan_url() -> str:
    content = base64.b64encode(sample("scan.pdf").read_bytes()).decode()
    return f"data:application/pdf;base64,{content}"


async def in_pieces(request: Any, body: dict[str, Any]) -> AsyncIterator[Any]:
    content = json.dumps(body).encode()
    for start in range(0, len(content), 10_000):
        piece = HttpBody(content_type="application/json", data=content[start : start + 10_000])
        yield request(content=piece)


async def test_a_document_is_recognized_as_mistrals_clients_ask_for_it(ann):
    body = {
        "model": "mistral-ocr-latest",
        "document": {"type": "document_url", "document_url": scan_url()},
    }
    answer = await ann.client.compatibility.recognize_document(
        in_pieces(RecognizeDocumentRequest, body)
    )
    pages = json.loads(answer.content.data)["pages"]
    assert [page["markdown"] for page in pages] == expected_pages()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_conversation_is_answered_as_openais_clients_ask_for_it(ann, stream: bool):
    file = {"type": "file", "file": {"file_data": scan_url()}}
    body = {
        "model": "default",
        "stream": stream,
        "messages": [{"role": "user", "content": [file]}],
    }
    answers = ann.client.compatibility.create_chat_completion(
        in_pieces(CreateChatCompletionRequest, body)
    )
    content = b"".join([answer.content.data async for answer in answers]).decode()
    text = "\n\n".join(expected_pages())
    if stream:
        assert content.rstrip().endswith("data: [DONE]")
        chunks = [line.removeprefix("data: ") for line in content.split("\n\n") if "{" in line]
        choices = [choice for chunk in chunks for choice in json.loads(chunk)["choices"]]
        assert "".join(choice["delta"].get("content") or "" for choice in choices) == text
    else:
        assert json.loads(content)["choices"][0]["message"]["content"] == text


async def test_a_conversation_without_a_document_is_refused(ann):
    body = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
    with pytest.raises(OcrError) as refused:
        async for _ in ann.client.compatibility.create_chat_completion(
            in_pieces(CreateChatCompletionRequest, body)
        ):
            pass
    assert refused.value.reason == "DOCUMENT_MISSING"


async def test_models_are_listed(ann):
    models = await ann.client.compatibility.list_models(ListModelsRequest())
    assert "ppocr" in [model.id for model in models.data]
