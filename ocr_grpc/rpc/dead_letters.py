"""The part of AdminService about what batches gave up: parse, call, map."""

from ocr_grpc.batches.dead_letters import DeadLetters
from ocr_grpc.rpc.caller import current_actor
from ocr_grpc.rpc.field_values import time_to_proto
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.store.batches import ChunkRow
from ocr_grpc.v1 import admin_service_pb2 as pb
from ocr_grpc.v1.admin_service_pb2_grpc import AdminServiceServicer


class DeadLetterServicer(AdminServiceServicer):
    """Answers that part of AdminService."""

    def __init__(self, dead_letters: DeadLetters) -> None:
        self._dead_letters = dead_letters

    async def ListDeadLetters(  # noqa: N802 - the name in the proto
        self, request: pb.ListDeadLettersRequest, context: Context
    ) -> pb.ListDeadLettersResponse:
        """Return dead letters."""
        rows, token = await self._dead_letters.list(request.page_size, request.page_token)
        return pb.ListDeadLettersResponse(
            dead_letters=map(dead_letter_to_proto, rows), next_page_token=token
        )

    async def ResendDeadLetter(  # noqa: N802 - the name in the proto
        self, request: pb.ResendDeadLetterRequest, context: Context
    ) -> pb.ResendDeadLetterResponse:
        """Have a dead letter read again."""
        await self._dead_letters.resend(request.dead_letter_id, current_actor())
        return pb.ResendDeadLetterResponse()


def dead_letter_to_proto(row: ChunkRow) -> pb.DeadLetter:
    """Return a chunk that was given up as a message."""
    return pb.DeadLetter(
        dead_letter_id=str(row.chunk_id),
        user_id=row.user_id,
        batch_id=row.batch_id,
        document_id=row.document_id,
        pages=row.pages,
        reason=row.reason,
        crashes=row.crashes,
        errors=row.errors,
        create_time=time_to_proto(row.progress_time),
    )
