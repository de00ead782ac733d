"""A real HTTP server that speaks OpenAI's chat completions, and misbehaves as it is told.

Each call is answered by the next of `answers`, the last one again and again. It keeps what it was
asked, and notices when a client hangs up, as vLLM does.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import h11

MODEL = "generic-vision-model"
MAX_HEAD_BYTES = 64 * 1024
SHORTLY_SECONDS = 0.001


@dataclass(eq=False)
class Call:
    """A call as the server saw it."""

    body: dict[str, Any]
    headers: dict[str, str]
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def image(self) -> str:
        return next(
            part["image_url"]["url"]
            for message in self.body["messages"]
            for part in message["content"]
            if isinstance(part, dict) and part["type"] == "image_url"
        )


class Exchange:
    """One request and what is sent in return."""

    def __init__(self, call: Call, wire: h11.Connection, writer: asyncio.StreamWriter) -> None:
        self.call = call
        self._wire = wire
        self._writer = writer

    async def whole(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send a whole response."""
        await self.head(status, {"content-length": str(len(body)), **headers})
        await self.send(body)
        await self.end()

    async def head(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Begin a response; without headers a stream of events."""
        headers = headers or {"content-type": "text/event-stream; charset=utf-8"}
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._put(h11.Response(status_code=status, headers=fields))

    async def event(self, content: object) -> None:
        await self.send(b"data: " + json.dumps(content).encode() + b"\n\n")

    async def say(self, text: str, **choice: object) -> None:
        """Send the next text."""
        await self.event(chunk(text, **choice))

    async def finish(self, reason: str = "stop", usage: dict[str, int] | None = None) -> None:
        await self.event(chunk("", finish_reason=reason))
        if usage:
            await self.event({"choices": [], "usage": usage})
        await self.send(b"data: [DONE]\n\n")
        await self.end()

    async def end(self) -> None:
        await self._put(h11.EndOfMessage())

    async def send(self, piece: bytes) -> None:
        await self._put(h11.Data(data=piece))

    async def until_hung_up(self) -> None:
        await asyncio.Event().wait()  # ended by the server when the client is gone

    async def reset(self) -> None:
        """Break the connection as a dying process does."""
        await self._writer.drain()
        await asyncio.sleep(SHORTLY_SECONDS)
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _put(self, event: h11.Event) -> None:
        self._writer.write(self._wire.send(event) or b"")
        await self._writer.drain()


Answer = Callable[[Exchange], Awaitable[None]]


def chunk(text: str, **choice: object) -> dict[str, Any]:
    """Return one chunk of a chat completion."""
    delta = {"content": text} if text else {}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": None, **choice}],
    }


class ModelServer:
    """The server. Use `serving`."""

    def __init__(self, answers: Sequence[Answer], model: str) -> None:
        self.answers = list(answers)
        self.model = model
        self.version = "0.25.1"
        self.lists: Answer | None = None
        """Answers the question for models, if it is not to be answered as usual."""
        self.calls: list[Call] = []
        self.port = 0
        self.connections_made = 0
        self._changed = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """Be down; `start` brings it up again."""
        if self._server:
            self._server.close()

    async def close(self) -> None:
        await self.stop_listening()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def called(self, times: int = 1) -> Call:
        """Wait for a call, and return it; the first is number 1."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: len(self.calls) >= times)
        return self.calls[times - 1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        self.connections_made += 1
        try:
            await self._talk(reader, writer)
        except (OSError, h11.RemoteProtocolError):
            pass  # clients may go whenever they like
        except asyncio.CancelledError:
            pass  # the server closes; a callback of asyncio would stumble over a cancelled task
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self._connections.discard(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            wire = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
            request = await _request(wire, reader)
            if request is None:
                return
            head, body = request
            headers = {name.decode(): value.decode() for name, value in head.headers}
            call = Call(json.loads(body) if body else {}, headers)
            answer = self._answer_to(head, call)
            if head.method == b"POST":
                async with self._changed:
                    self.calls.append(call)
                    self._changed.notify_all()
            if not await _answered(answer(Exchange(call, wire, writer)), call, reader):
                return
            if wire.our_state is not h11.DONE:
                return

    def _answer_to(self, head: h11.Request, call: Call) -> Answer:
        path = head.target.decode()
        if head.method == b"POST" and path == "/v1/chat/completions":
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if path == "/v1/models":
            return self.lists or replies({"data": [{"id": self.model, "max_model_len": 8192}]})
        if path == "/version" and self.version:
            return replies({"version": self.version})
        return replies({"error": {"message": "no such path"}}, status=404)


async def _request(
    wire: h11.Connection, reader: asyncio.StreamReader
) -> tuple[h11.Request, bytes] | None:
    head, body = None, bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head:
            return head, bytes(body)
        else:
            return None


async def _answered(answer: Awaitable[None], call: Call, reader: asyncio.StreamReader) -> bool:
    """Send an answer; return whether the client was there until its end."""
    answering = asyncio.ensure_future(answer)
    # A client sends nothing before it has the answer, so all that can come is its end.
    watching = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({answering, watching}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            await answering
            return True
        call.hung_up.set()
        return False
    except OSError:
        call.hung_up.set()
        return False
    finally:
        for task in (answering, watching):
            task.cancel()
        await asyncio.gather(answering, watching, return_exceptions=True)
        call.ended.set()


def replies(content: object, status: int = 200, **headers: str) -> Answer:
    """Answer by JSON, at once."""

    async def answer(exchange: Exchange) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(content).encode()
        await exchange.whole(status, body, {"content-type": "application/json", **names})

    return answer


@asynccontextmanager
async def serving(*answers: Answer, model: str = MODEL) -> AsyncGenerator[ModelServer]:
    """Run a server that gives these answers, one a call."""
    server = ModelServer(answers, model)
    await server.start()
    try:
        yield server
    finally:
        await server.close()
