"""A web server that is told things, well-behaved or not."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """A message as it came."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, self.headers)
        except Exception:  # of the library, of several kinds
            return False
        return True


Behaviour = Callable[[asyncio.StreamWriter, Received], Awaitable[None]]


class Receiver:
    """Behaves by path, as a good receiver unless told otherwise; keeps what it gets."""

    def __init__(self) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.all: list[Received] = []
        self.port = 0
        self._news = asyncio.Condition()

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def answers(self, path: str, status: int, body: str = "", *headers: str) -> None:
        """Have a path answer the same to everything."""

        async def behave(writer: asyncio.StreamWriter, _: Received) -> None:
            answer(writer, status, body, *headers)

        self.behaviours[path] = behave

    @property
    def messages(self) -> list[Received]:
        """What came beside verifications."""
        return [each for each in self.all if each.message["type"] != "webhook.verification"]

    async def has(self, count: int, path: str = "") -> list[Received]:
        """Wait for messages to a path, those to all paths if it is empty."""

        def there() -> list[Received]:
            return [each for each in self.messages if path in ("", each.path)]

        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: len(there()) >= count)
        return there()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): text for name, text in (line.split(": ") for line in lines)}
            assert first.startswith("POST ")
            body = (await reader.readexactly(int(headers["content-length"]))).decode()
            received = Received(first.split()[1], headers, body)
            self.all.append(received)
            async with self._news:
                self._news.notify_all()
            await self.behaviours.get(received.path, welcome)(writer, received)
            await writer.drain()
        writer.close()


def answer(writer: asyncio.StreamWriter, status: int, body: str = "", *headers: str) -> None:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    writer.write("\r\n".join([*lines, "", body]).encode())


async def welcome(writer: asyncio.StreamWriter, received: Received) -> None:
    """Answer a challenge, and take everything else."""
    data = received.message["data"]
    answer(writer, 200, json.dumps({"challenge": data.get("challenge")}))


async def hang(writer: asyncio.StreamWriter, _: Received) -> None:
    """Never answer, until the other side goes away."""
    await writer.wait_closed()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await receiver._serve(reader, writer)
        writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
