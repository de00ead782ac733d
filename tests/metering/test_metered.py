"""Pages of which text was sent are charged when the caller ended the call, in whatever way."""

import pytest

from ocr_grpc.accounts.errors import Denied, KeyRevoked
from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.errors import ShuttingDown
from ocr_grpc.extraction.events import Delta, Started
from ocr_grpc.extraction.metered import LedgerMeter, MeteredCall
from ocr_grpc.extraction.options import Mode
from ocr_grpc.resumption.errors import ExtractionResumed
from tests.metering.support import caller, ledger_on, quota_of

STARTED = Started("e", DocumentKind.PDF, 4, 4, Mode.AUTO, None, 0, 7)


def meter_on(ledger) -> LedgerMeter:
    call = MeteredCall(caller(pages=10), "OcrService/UploadExtract", "c", "resumable:e", b"f" * 32)
    return LedgerMeter(ledger, call, lambda error: error.reason)


@pytest.mark.parametrize(
    ("error", "pages"),
    [
        (ExtractionResumed("e"), 1),
        (KeyRevoked(), 1),
        (Denied("No."), 1),
        (ShuttingDown(), 0),
        (OcrError("Anything else."), 0),
    ],
    ids=lambda value: getattr(value, "reason", None),
)
async def test_a_page_that_was_sent_in_part(embedded, database_of, error, pages):
    async with ledger_on(embedded) as ledger:
        meter = meter_on(ledger)
        await meter.reserve(STARTED, [range(1, 5)])
        meter.delivered(Delta(3, "text"))
        await meter.fail(error)
    assert await quota_of(database_of(embedded), "ada") == (pages, 0)


async def test_what_whoever_resumed_got_before_is_read_again_for_nothing(embedded, database_of):
    async with ledger_on(embedded) as ledger:
        for _ in range(3):
            meter = meter_on(ledger)
            await meter.reserve(STARTED, [range(1, 5)])
            meter.delivered(Delta(3, "text"))
            await meter.fail(ExtractionResumed("e"))
    assert await quota_of(database_of(embedded), "ada") == (1, 0)
