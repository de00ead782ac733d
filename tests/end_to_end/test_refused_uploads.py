"""A refusal reaches a caller who is still uploading, whatever refuses it."""

import grpc

from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.people import house
from tests.support import channel_to, refusal, upload

TRIES = 40


async def test_a_caller_without_credentials_learns_so_however_much_is_sent(tmp_path):
    async with house(tmp_path) as home, channel_to(home.server) as channel:
        stub = OcrServiceStub(channel)
        for size in (100, 1_000_000):
            answers = [await refusal(stub.UploadExtract(upload(b"x" * size))) for _ in range(TRIES)]
            assert set(answers) == {(grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_MISSING")}


async def test_so_does_a_caller_over_the_rate_limit(tmp_path):
    async with house(tmp_path) as home:
        _, user = await home.create_user("ann", limits={"calls_per_minute": 1})
        await refusal(home.ocr.StreamExtract(pb.StreamExtractRequest(), metadata=user))
        answers = [
            await refusal(home.ocr.UploadExtract(upload(b"x" * 1_000_000), metadata=user))
            for _ in range(TRIES)
        ]
        assert set(answers) == {(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")}
