from collections.abc import Iterator

import grpc
import pytest

import ocr_grpc.server  # noqa: F401 - brings every error in
from ocr_grpc.errors import InvalidOption, OcrError
from ocr_grpc.extraction.errors import PageOutOfRange, QueueFull
from ocr_grpc.rpc.errors import InternalError
from ocr_grpc.rpc.status import CODES, code_of, status_of


def every_error(kind: type[OcrError] = OcrError) -> Iterator[type[OcrError]]:
    for child in kind.__subclasses__():
        yield child
        yield from every_error(child)


def test_every_domain_error_has_a_status():
    for kind in every_error():
        assert any(base in CODES for base in kind.__mro__), kind


def test_every_reason_is_a_stable_word():
    for kind in every_error():
        assert kind.reason.isupper(), kind
        assert kind.reason != OcrError.reason, kind


def test_only_the_internal_error_is_internal():
    internal = {kind for kind in CODES if CODES[kind] is grpc.StatusCode.INTERNAL}
    assert internal == {InternalError}


def test_an_invalid_option_names_its_field():
    status = status_of(PageOutOfRange(9, 3))
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    types = [detail.TypeName() for detail in status.details]
    assert types == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]


def test_a_refusal_for_now_says_when_to_come_again():
    error = QueueFull(5, "this caller", "MAX_EXTRACTIONS_PER_CALLER", 2.5)
    assert code_of(error) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert [detail.TypeName() for detail in status_of(error).details] == [
        "google.rpc.ErrorInfo",
        "google.rpc.RetryInfo",
    ]


def test_all_that_varies_in_a_message_is_in_the_metadata():
    error = PageOutOfRange(9, 3)
    assert error.metadata == {"field": "options.pages", "page": "9", "page_count": "3"}


@pytest.mark.parametrize("kind", [InvalidOption])
def test_a_family_covers_members_without_an_entry(kind):
    assert code_of(PageOutOfRange(1, 0)) is CODES[kind]
