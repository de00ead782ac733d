"""What is refused of a document before any of it was taken."""

import pytest

from ocr_grpc.errors import InvalidOption
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.rpc.intake import Intake, Wanted


class Extractor:
    """Takes all options."""

    def check(self, options: ExtractOptions) -> None:
        pass


INTAKE = Intake(Extractor(), None, None, None)
PICTURED = ExtractOptions(page_image_side_px=800)


@pytest.mark.parametrize(
    ("wanted", "field", "reason"),
    [
        (Wanted(ExtractOptions(), "a\0.pdf", resumable=True), "file_name", "INVALID_FILE_NAME"),
        (Wanted(ExtractOptions(), "a" * 256), "file_name", "INVALID_FILE_NAME"),
        (Wanted(PICTURED, resumable=True), "options.page_image_side_px", "INVALID_OPTION"),
    ],
)
def test_what_cannot_be_kept_is_refused(wanted, field, reason):
    with pytest.raises(InvalidOption) as refused:
        INTAKE.check(wanted)
    assert (refused.value.field, refused.value.reason) == (field, reason)


def test_what_can_be_kept_is_taken():
    for wanted in (Wanted(PICTURED), Wanted(ExtractOptions(), "a" * 255, resumable=True)):
        INTAKE.check(wanted)
