"""Documents that reach out, to a server and to files, are read and reach nothing."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio

from ocr_grpc.rpc.status import DETAILS_KEY
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1.ocr_service_pb2_grpc import OcrServiceStub
from tests.canaries.documents import CANARIES, WORDS, Canary
from tests.canaries.target import Target, target
from tests.processes import serve
from tests.support import reason_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURES = ("png", "jpg", "tif", "webp")
LATE_SECONDS = 1.0
"""How long the target goes on listening after the last answer."""


@dataclass
class Scene:
    """A server, what nobody may touch, and all that came out of the server."""

    target: Target
    stub: OcrServiceStub
    log: Path
    said: list[bytes]


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[tuple[Target, str, Path]]:
    folder = tmp_path_factory.mktemp("canaries")
    with (
        target(folder) as there,
        # The reader's own environment is a file as well (/proc/self/environ).
        serve(folder, LOG_LEVEL="debug", SECRET_IN_ENVIRONMENT=there.secret) as (_, address),
    ):
        yield there, address, folder / "serve.log"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(watched) -> AsyncIterator[Scene]:
    there, address, log = watched
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        scene = Scene(there, OcrServiceStub(channel), log, [])
        yield scene


def nothing_got_out(scene: Scene) -> None:
    assert scene.target.hits == []
    spoken = b"".join(scene.said) + scene.log.read_bytes()
    assert scene.target.secret.encode() not in spoken
    assert b"root:x:0:0" not in spoken


async def read(scene: Scene, canary: Canary) -> str:
    """Return the text of a document, or the reason it was refused with."""
    content, name = canary.make(scene.target), f"letter.{canary.ending}"
    request = pb.ExtractRequest(content=content, file_name=name)
    try:
        answer = await scene.stub.Extract(request)
        inspect = pb.InspectRequest(content=content, file_name=name)
        scene.said.append((await scene.stub.Inspect(inspect)).SerializeToString())
    except grpc.aio.AioRpcError as error:
        packed = dict(error.trailing_metadata() or ())[DETAILS_KEY]
        scene.said += [packed, repr(error).encode()]
        return reason_of(error)
    scene.said.append(answer.SerializeToString())
    return answer.text


async def test_the_target_notices_who_comes(tmp_path):
    with target(tmp_path) as there:
        socket.create_connection(("127.0.0.1", there.port)).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(b"hello", ("127.0.0.1", there.port))
        async with asyncio.timeout(30):
            while len(there.hits) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda it: it.name)
async def test_a_document_that_reaches_out_reaches_nothing(scene, canary):
    found = await read(scene, canary)
    nothing_got_out(scene)
    if canary.refused == "*":
        return
    if canary.refused:
        assert found == canary.refused
    elif canary.ending in PICTURES:
        assert "null line 1" in found
    else:
        assert WORDS in found


async def test_nobody_came_in_the_end_either(scene):
    assert len(CANARIES) >= 40
    await asyncio.sleep(LATE_SECONDS)
    nothing_got_out(scene)
    assert any(json.loads(line) for line in scene.log.read_text().splitlines() if line[:1] == "{")
