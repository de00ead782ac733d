import io
import os
import tempfile

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.office import pictures
from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.conftest import opening
from tests.documents.office.flow_samples import picture

LIMITS = opening(io.BytesIO(), DocumentKind.PNG).limits


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_raster_images_with_room_for_a_word_may_have_text(form: str):
    assert pictures.may_have_text(picture(24, 24, form))
    assert not pictures.may_have_text(picture(200, 23, form))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7\n",
        b"\1\0\0\0\x6c\0\0\0" + bytes(32) + b" EMF" + bytes(60),
        b"\xd7\xcd\xc6\x9a" + bytes(40),
        b"PK\3\4" + bytes(30),
    ],
)
def test_drawings_and_documents_are_not_read(content: bytes):
    assert not pictures.may_have_text(content)


def test_a_damaged_image_may_have_text_so_that_its_damage_is_reported():
    assert pictures.may_have_text(picture()[:20])


def test_the_pixels_are_those_of_the_picture():
    with tempfile.TemporaryFile() as sink:
        answer = pictures.write(picture(40, 30), LIMITS, sink.fileno())
        assert (answer["width"], answer["height"], answer["channels"]) == (40, 30, 1)
        assert os.fstat(sink.fileno()).st_size == 40 * 30


@pytest.mark.parametrize("content", [picture()[:20], picture()[:60], b"", b"no picture"])
def test_a_damaged_picture_fails_alone(content: bytes):
    with tempfile.TemporaryFile() as sink, pytest.raises(ReaderFailure) as refused:
        pictures.write(content, LIMITS, sink.fileno())
    assert refused.value.code is Failure.UNREADABLE_PAGE
