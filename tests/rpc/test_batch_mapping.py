"""How a request for a batch is understood, and what stands for it."""

import pytest

from ocr_grpc.batches.errors import TooManyDocuments
from ocr_grpc.documents.errors import DocumentTooLarge
from ocr_grpc.errors import InvalidOption
from ocr_grpc.rpc.batch_mapping import new_batch_from_proto
from ocr_grpc.v1 import batch_pb2, options_pb2
from ocr_grpc.v1 import batch_service_pb2 as pb

LIMIT = 100


def request(**fields) -> pb.CreateBatchRequest:
    values = {"documents": [{"content": b"one"}, {"url": "https://files.example/two"}]}
    return pb.CreateBatchRequest(**values | fields)


def fingerprint(**fields) -> bytes:
    return new_batch_from_proto(request(**fields), LIMIT, 3).fingerprint


def test_every_document_has_its_number_and_its_own_options_if_it_has_any():
    documents = [{"content": b"one"}, {"upload_id": "u", "options": {"dpi": 100}}]
    wanted = new_batch_from_proto(request(documents=documents, options={"dpi": 200}), LIMIT, 3)
    assert [(each.number, each.path) for each in wanted.documents] == [
        (1, "documents[0]"),
        (2, "documents[1]"),
    ]
    assert wanted.documents[0].options is None
    assert wanted.documents[1].options.dpi == 100
    assert (wanted.options.dpi, wanted.priority) == (200, None)


def test_the_request_id_alone_does_not_count_for_the_fingerprint():
    assert fingerprint(request_id="a") == fingerprint(request_id="b") == fingerprint()
    others = [
        {"documents": [{"content": b"one"}]},
        {"documents": [{"url": "https://files.example/two"}, {"content": b"one"}]},
        {"documents": [{"content": b"one"}, {"url": "https://files.example/2"}]},
        {"options": {"dpi": 100}},
        {"options": {}},
        {"display_name": "x"},
        {"priority": batch_pb2.BATCH_PRIORITY_LOW},
        {"retention_hours": 1},
    ]
    assert len({fingerprint(), *(fingerprint(**other) for other in others)}) == len(others) + 1


def test_an_upload_may_have_another_id_when_it_comes_again():
    prints = {fingerprint(documents=[{"upload_id": each}]) for each in ("a", "b")}
    assert len(prints) == 1
    assert fingerprint(documents=[{"upload_id": "a", "file_name": "a.pdf"}]) not in prints
    assert fingerprint(documents=[{"content": b"a"}]) not in prints


def test_too_many_documents_are_refused_before_any_is_looked_at():
    wrong = [{"content": b"x" * LIMIT, "url": "both"}] * 4
    with pytest.raises(TooManyDocuments) as refused:
        new_batch_from_proto(request(documents=wrong), LIMIT, 3)
    assert refused.value.metadata["count"] == "4"


def test_nothing_of_the_documents_stays_in_the_request():
    asked = request()
    new_batch_from_proto(asked, LIMIT, 3)
    assert asked.documents == []


def test_documents_are_bounded_together():
    half = {"content": b"x" * (LIMIT // 2)}
    new_batch_from_proto(request(documents=[half, half]), LIMIT, 3)
    with pytest.raises(DocumentTooLarge):
        new_batch_from_proto(request(documents=[half, half, {"content": b"x"}]), LIMIT, 3)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"documents": [{}]}, "documents[0]"),
        ({"documents": [{"content": b"x", "url": "y"}]}, "documents[0]"),
        ({"documents": [{"content": b"x", "file_name": "\0"}]}, "documents[0].file_name"),
        (
            {"documents": [{"content": b"x"}, {"content": b"x", "options": {"mode": 99}}]},
            "documents[1].options.mode",
        ),
        ({"options": options_pb2.ExtractOptions(mode=99)}, "options.mode"),
        ({"priority": 99}, "priority"),
    ],
)
def test_what_cannot_be_understood_is_named_by_its_field(fields, field):
    with pytest.raises(InvalidOption) as refused:
        new_batch_from_proto(request(**fields), LIMIT, 3)
    assert refused.value.field == refused.value.metadata["field"] == field
