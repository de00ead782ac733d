"""What the measurements of batches share: documents, processes, and a caller."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path

import grpc.aio

from benchmarks.documents import image_document, text_document
from ocr_grpc.commands.addresses import ServerAddress
from ocr_grpc.commands.batch_link import CHANNEL_OPTIONS, BatchLink
from ocr_grpc.commands.credentials import KEY_VARIABLE, Credentials
from ocr_grpc.commands.sessions import SessionFile
from ocr_grpc.v1 import access_pb2
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import batch_service_pb2 as pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1.admin_service_pb2_grpc import AdminServiceStub
from ocr_grpc.v1.auth_service_pb2_grpc import AuthServiceStub
from ocr_grpc.v1.keys_service_pb2_grpc import KeysServiceStub

START_SECONDS = 120

PASSWORD = "correct horse battery"
"""Of users of servers that live for minutes, on this machine alone."""

Settings = dict[str, object]

QUIET: Settings = {
    "engine": "null",
    "engine_workers": 1,
    "readers": 1,
    "office_readers": 1,
    "tesseract_workers": 0,
    "metrics_port": 0,
    "log_level": "error",
    "auth_enabled": "true",
    "bcrypt_cost": 4,
    "bootstrap_pass": PASSWORD,
}
"""Settings under which all but the engine is measured, on as few processes as will do."""


class Member:
    """`ocr-grpc serve` or `ocr-grpc worker`, started again at once whenever it is gone."""

    def __init__(self, words: Sequence[str], settings: Settings) -> None:
        self.kind = words[0]
        self._command = [str(Path(sys.executable).parent / "ocr-grpc"), *words]
        values = {name.upper(): str(value) for name, value in settings.items()}
        self._environment = os.environ | values
        self._keeping: asyncio.Task[None] | None = None
        self.process: asyncio.subprocess.Process | None = None
        self.paused = False
        self.ready = asyncio.Event()
        self.slowest_start_seconds = 0.0

    async def start(self) -> None:
        """Start it, wait until it is ready, and keep it running from now on."""
        await self._start()
        if not self.ready.is_set():
            raise RuntimeError(f"{self.kind} did not start; its messages stand above.")
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it for good."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        if self.process and self.process.returncode is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 60)
            except TimeoutError:
                self.send(signal.SIGKILL)
                await self.process.wait()

    async def kill(self, *, again: bool = True) -> None:
        """End it without a word; it starts again by itself, if it is to."""
        self.ready.clear()
        self.paused = False
        if not again and self._keeping:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        self.send(signal.SIGKILL)

    async def pause(self, seconds: float) -> None:
        """Stop it as it stands, for so long; only the process itself, not its children."""
        process, self.paused = self.process, True
        self.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        if process is self.process:
            self.send(signal.SIGCONT)
            self.paused = False

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        with suppress(ProcessLookupError):
            if self.process and self.process.returncode is None:
                self.process.send_signal(number)

    async def _keep(self) -> None:
        while self.process:
            await self.process.wait()
            await self._start()

    async def _start(self) -> None:
        began = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            *self._command, env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout
        words = []
        async with asyncio.timeout(START_SECONDS):
            while words[:1] != ["ready"]:
                line = await self.process.stdout.readline()
                if not line:
                    return  # it was killed before, or did not start: its messages stand above
                words = line.decode().split()
        seconds = time.monotonic() - began
        self.slowest_start_seconds = max(seconds, self.slowest_start_seconds)
        self.ready.set()


def free_port() -> int:
    """Return a port that nobody listens on, for a server that must come back at it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@asynccontextmanager
async def caller(ports: Sequence[int], key: str) -> AsyncIterator[BatchLink]:
    """Yield what calls whichever of some servers is there, as the command line does.

    Args:
        ports: of the servers, on this machine.
        key: the API key; empty for a server without accounts.
    """
    target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    environment = {KEY_VARIABLE: key} if key else {}
    credentials = Credentials(ServerAddress(target), environment, SessionFile(None))
    own = ("grpc.use_local_subchannel_pool", 1)
    async with grpc.aio.insecure_channel(target, options=[*CHANNEL_OPTIONS, own]) as channel:
        yield BatchLink(channel, credentials)


@cache
def scans(pages: int) -> bytes:
    """Return a PDF of small page images, which the engine reads."""
    return image_document(["invoice-en"] * pages, 50)


@cache
def texts(pages: int) -> bytes:
    """Return a PDF with a text layer."""
    return text_document(pages)


async def uploaded(link: BatchLink, name: str, content: bytes) -> str:
    """Return the id of an upload."""

    async def requests() -> AsyncIterator[pb.UploadDocumentRequest]:
        yield pb.UploadDocumentRequest(file_name=name, size_bytes=len(content))
        for start in range(0, len(content), 2**18):
            piece = content[start : start + 2**18]
            yield pb.UploadDocumentRequest(content={"data": piece})

    metadata = await link.metadata()
    answer = await link.batches.UploadDocument(requests(), metadata=metadata, timeout=60)
    return answer.document.upload_id


async def admin_key(port: int) -> str:
    """Return a new API key of the administrator of a server with the settings above."""
    async with plain_channel(port) as channel:
        return await _key_of(channel, "admin", access_pb2.SCOPE_ADMIN)


async def further_user(port: int, key: str, name: str) -> str:
    """Return the API key of a new user, made by an administrator, without a limit of pages."""
    user = {"user_name": name, "limits": {"pages_per_month": 0}}
    request = admin_pb.CreateUserRequest(user=user, password=PASSWORD)
    async with plain_channel(port) as channel:
        await AdminServiceStub(channel).CreateUser(request, metadata=(("x-api-key", key),))
        return await _key_of(channel, name)


async def _key_of(channel: grpc.aio.Channel, name: str, *more: access_pb2.Scope.ValueType) -> str:
    login = auth_pb.LoginRequest(user_name=name, password=PASSWORD)
    token = (await AuthServiceStub(channel).Login(login)).access_token
    scopes = [access_pb2.SCOPE_BATCHES, access_pb2.SCOPE_OCR, *more]
    request = keys_pb.CreateKeyRequest(key={"scopes": scopes})
    metadata = (("authorization", f"Bearer {token}"),)
    return (await KeysServiceStub(channel).CreateKey(request, metadata=metadata)).secret


def plain_channel(port: int) -> grpc.aio.Channel:
    """Return a channel to a server of this machine."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}")
