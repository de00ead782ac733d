"""What BatchService answers where a part of it cannot be had."""

from types import SimpleNamespace

import pytest

from ocr_grpc.extraction.kept_options import sealed_options
from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.rpc.batches import BatchServicer
from ocr_grpc.rpc.caller import Caller, set_current_caller
from ocr_grpc.store.batches import BatchRow
from ocr_grpc.store.sealing import Seal
from ocr_grpc.v1 import batch_service_pb2 as pb
from tests.batches.rows import add_batch, person


@pytest.mark.parametrize("secret", [b"another one", b"a secret that only tests have, of 32 bytes"])
async def test_a_batch_whose_options_cannot_be_opened_is_shown_without_them(database, secret):
    made, _ = await add_batch(database)
    async with database.write() as session:
        row = await session.get(BatchRow, made.batch_id)
        seal = Seal(b"a secret that only tests have, of 32 bytes")
        row.options = sealed_options(seal, ExtractOptions(dpi=200))

    class Queries:
        async def get(self, user_id: str, batch_id: str) -> BatchRow:
            return row

    set_current_caller(Caller("", "", person()))
    servicer = BatchServicer(SimpleNamespace(queries=Queries(), seal=Seal(secret)))
    shown = (await servicer.GetBatch(pb.GetBatchRequest(batch_id=made.batch_id), None)).batch
    assert shown.batch_id == made.batch_id
    assert shown.HasField("options") == (secret != b"another one")
