"""A web server for tests that answers exactly what it is told to, well-formed or not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]] | bytes


class Web:
    """Answers by path, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.port = 0

    def has(self, path: str, body: bytes, status: str = "200 OK", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        self.answers[path] = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def redirects(self, path: str, to: str) -> None:
        self.has(path, b"", "302 Found", f"Location: {to}", "Set-Cookie: a=b")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            answer = self.answers[request.split()[1]]
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def web(tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    site = Web()
    server = await asyncio.start_server(site._serve, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site
