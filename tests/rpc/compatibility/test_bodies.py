import json
import tracemalloc

import pytest

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.errors import OcrError
from ocr_grpc.rpc.compatibility.chat_body import MAX_DOCUMENTS, parse_chat
from ocr_grpc.rpc.compatibility.models import engine_option, takes_prompt
from ocr_grpc.rpc.compatibility.ocr_body import parse_ocr
from ocr_grpc.rpc.compatibility.request import NamedDocument

URL = "https://files.example.com/a.pdf"
IMAGE = {"type": "image_url", "image_url": {"url": "data:,x", "detail": "high"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:,y"}}
TEXT = {"type": "text", "text": "OCR this"}


def ocr(**fields):
    document = {"type": "document_url", "document_url": URL}
    return parse_ocr(json.dumps({"model": "m", "document": document} | fields).encode())


def chat(*parts, **fields):
    messages = [{"role": "user", "content": list(parts)}]
    return parse_chat(json.dumps({"model": "m", "messages": messages} | fields).encode())


def refusal(parse, *arguments, **fields) -> OcrError:
    with pytest.raises(OcrError) as refused:
        parse(*arguments, **fields)
    return refused.value


def test_a_document_is_named_by_a_url_of_either_kind():
    named = ocr(document={"type": "document_url", "document_url": URL, "document_name": "a"})
    assert named.documents == [NamedDocument(URL, "document.document_url", "a")]
    for image in (URL, {"url": URL}):
        named = ocr(document={"type": "image_url", "image_url": image})
        assert named.documents == [NamedDocument(URL, "document.image_url")]


@pytest.mark.parametrize(
    ("pages", "option"),
    [
        (None, ""),
        ([], ""),
        ([0], "1"),
        ([4, 0, 2], "5,1,3"),
        ("0", "1"),
        ("0,2-4", "1,3-5"),
        (" 0 , 2 - 4 ", "1,3-5"),
    ],
)
def test_pages_are_counted_from_zero(pages, option):
    assert ocr(pages=pages).pages == option


@pytest.mark.parametrize("pages", [[-1], "-1", "a", "1-", "1,,2", [0] * 5000, "0-1-2", "²"])
def test_other_pages_are_refused(pages):
    assert refusal(ocr, pages=pages).metadata["field"].startswith("pages")


def test_what_clients_send_by_default_is_no_matter():
    assert ocr(
        id="x", include_image_base64=True, include_blocks=True, image_limit=0, table_format=None,
        extract_header=False, document_annotation_format=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"table_format": "html"}, "table_format"),
        ({"extract_header": True}, "extract_header"),
        ({"document_annotation_format": {"type": "json_schema"}}, "document_annotation_format"),
        ({"confidence_scores_granularity": "page"}, "confidence_scores_granularity"),
        ({"document": {"type": "file", "file_id": "x"}}, "document.file_id"),
        ({"document": {"type": "document_url"}}, "document"),
        ({"document": {"document_url": URL, "image_url": URL}}, "document"),
        ({"document": URL}, "document"),
        ({"document": {"document_url": 1}}, "document.document_url"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_field(fields, field):
    assert refusal(ocr, **fields).metadata["field"] == field


def test_documents_are_found_in_the_order_of_the_conversation():
    messages = [
        {"role": "system", "content": "You are an OCR machine."},
        {"role": "user", "content": [TEXT, IMAGE]},
        {"role": "assistant", "content": "text", "refusal": None, "annotations": []},
        {"role": "user", "content": [FILE, TEXT, IMAGE]},
    ]
    asked = chat(messages=messages)
    assert [(each.url, each.field_path) for each in asked.documents] == [
        ("data:,x", "messages.1.content.1.image_url.url"),
        ("data:,y", "messages.3.content.0.file.file_data"),
        ("data:,x", "messages.3.content.2.image_url.url"),
    ]
    assert asked.documents[1].file_name == "a.pdf"


def test_a_file_may_be_base64_alone():
    file = {"type": "file", "file": {"file_data": "aGk="}}
    assert chat(file).documents[0].is_bare
    assert not chat(FILE).documents[0].is_bare
    assert not chat(IMAGE).documents[0].is_bare


def test_a_stream_is_asked_for():
    assert not chat(IMAGE).stream
    asked = chat(IMAGE, stream=True, stream_options={"include_usage": True})
    assert asked.stream
    assert asked.include_usage


def test_knobs_of_language_models_are_no_matter():
    assert chat(IMAGE, temperature=0.0, max_tokens=4096, seed=1, top_p=1, n=1, user="x", tools=[])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"stop": ["\n"]}, "stop"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"modalities": ["text", "audio"]}, "modalities.1"),
        ({"messages": "x"}, "messages"),
        ({"stream": {"a": 1}}, "stream"),
    ],
)
def test_what_an_ocr_engine_cannot_do_is_refused(fields, field):
    assert refusal(chat, IMAGE, **fields).metadata["field"] == field


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "image_url"},
        {"type": "video_url", "video_url": {"url": URL}},
    ],
)
def test_other_parts_are_refused(part):
    assert refusal(chat, IMAGE, part).metadata["field"].startswith("messages.0.content")


def test_a_conversation_without_a_document_is_refused():
    for messages in ([], [{"role": "user", "content": "Hello"}]):
        assert refusal(chat, messages=messages).reason == "DOCUMENT_MISSING"
    assert refusal(chat, TEXT).reason == "DOCUMENT_MISSING"


def test_documents_are_counted():
    assert len(chat(*[IMAGE] * MAX_DOCUMENTS).documents) == MAX_DOCUMENTS
    assert refusal(chat, *[IMAGE] * (MAX_DOCUMENTS + 1)).metadata["field"] == "messages"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":', b"[" * 100_000, b"a=b"])
def test_what_is_no_json_is_refused(body):
    assert refusal(parse_chat, body).reason == "MALFORMED_REQUEST"


def test_small_values_in_great_number_are_refused_before_they_take_memory():
    nested = b'{"messages":[' + b"[]," * 300_000 + b"[]]}"
    assert refusal(parse_chat, nested).reason == "MALFORMED_REQUEST"
    tracemalloc.start()
    try:
        wrong = json.dumps({"messages": [{"role": 1}] * 50_000}).encode()
        assert refusal(parse_chat, wrong).metadata["field"] == "body"
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()
    assert refusal(ocr, pages=[0] * 20_000).metadata["field"] == "pages"


def test_what_is_no_object_is_refused():
    for body in (b"[]", b"1", b"null", b'"x"'):
        assert refusal(parse_ocr, body).reason == "INVALID_OPTION"


def test_no_refusal_and_no_repr_shows_a_document():
    secret = "data:;base64,c2VjcmV0"
    part = {"type": "image_url", "image_url": {"url": secret, "size": 3}}
    error = refusal(chat, part)
    assert secret not in error.message + str(error.metadata)
    error = refusal(ocr, document={"document_url": [secret]})
    assert secret not in error.message + str(error.metadata)
    assert secret not in repr(ocr(document={"document_url": secret}))


PPOCR = EngineDescription("ppocr", "PP-OCRv5", "1", "none", "none")
VLM = EngineDescription("vlm", "seer/OCR", "1", "none", "none", takes_prompt=True)


@pytest.mark.parametrize("model", ["", "default", "gpt-4o", "mistral-ocr-latest"])
def test_names_from_elsewhere_stand_for_the_default_engine(model):
    assert engine_option(model, [PPOCR, VLM]) == ""


@pytest.mark.parametrize("model", ["ppocr", "PPOCR", "PP-OCRv5"])
def test_an_engine_is_known_by_its_name_and_by_its_model(model):
    assert engine_option(model, [PPOCR, VLM]) == "ppocr"


@pytest.mark.parametrize("model", ["ocr-9", "gpt_4o", "ppocr2", "default "])
def test_other_names_are_asked_for_as_they_are(model):
    assert engine_option(model, [PPOCR, VLM]) == model


def test_words_are_a_prompt_only_for_a_model_that_was_named():
    assert takes_prompt("seer/OCR", [PPOCR, VLM])
    assert not takes_prompt("ppocr", [PPOCR, VLM])
    assert not takes_prompt("gpt-4o", [VLM, PPOCR])


def test_what_users_say_is_the_prompt():
    parts = [{"type": "text", "text": "Free OCR."}, {"type": "image_url", "image_url": "data:,"}]
    body = {
        "messages": [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": parts},
        ]
    }
    assert parse_chat(json.dumps(body).encode()).prompt == "Free OCR."
