"""What a model's server may do when it is called, good and bad."""

import asyncio
import itertools
import json

from tests.engines.vlm.server import Answer, Exchange, chunk, replies

USAGE = {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912}
MUCH = b"x" * 65536


def writes(*deltas: str, reason: str = "stop", usage: dict[str, int] | None = USAGE) -> Answer:
    """Answer well, in these pieces."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(chunk("", delta={"role": "assistant", "content": ""}))
        for delta in deltas:
            await exchange.say(delta)
        await exchange.finish(reason, usage)

    return answer


def writes_counting(*deltas: str) -> Answer:
    """Tell the usage so far with every piece, as vLLM can, and go on until hung up."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        for number, delta in enumerate(itertools.cycle(deltas), 1):
            usage = {"prompt_tokens": 900, "completion_tokens": number}
            await exchange.event({**chunk(delta), "usage": usage})
            await asyncio.sleep(0)

    return answer


def writes_in_splinters(text: str) -> Answer:
    """Answer byte by byte, escapes of characters and lines cut apart."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        events = [
            json.dumps(chunk(part), ensure_ascii=ascii_only).encode()
            for part, ascii_only in zip(text, itertools.cycle((True, False)), strict=False)
        ]
        for event in [*events, json.dumps(chunk("", finish_reason="stop")).encode()]:
            for byte in b"data: " + event + b"\r\n\r\n":
                await exchange.send(bytes([byte]))
        await exchange.end()

    return answer


def writes_half_characters(text: str) -> Answer:
    """Answer in pieces that end amid a character, as escapes of JSON can."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        units = text.encode("utf-16-le")
        for at in range(0, len(units), 2):
            await exchange.say(units[at : at + 2].decode("utf-16-le", "surrogatepass"))
        await exchange.finish()

    return answer


def hangs(*, after: tuple[str, ...] = (), head: bool = True) -> Answer:
    """Say so much and nothing more, keeping the connection."""

    async def answer(exchange: Exchange) -> None:
        if head:
            await exchange.head()
        for delta in after:
            await exchange.say(delta)
        await exchange.until_hung_up()

    return answer


def pings() -> Answer:
    """Keep the connection busy without a single token."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.send(b": ping\n\n")
            await exchange.event(chunk(""))
            await asyncio.sleep(0.01)

    return answer


def repeats(paragraph: str, *, after: str = "") -> Answer:
    """Say the same again and again until the client hangs up."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        if after:
            await exchange.say(after)
        while True:
            for word in paragraph.split(" "):
                await exchange.say(word + " ")
            await asyncio.sleep(0)

    return answer


def never_stops() -> Answer:
    """Say ever more, never the same, whatever number of tokens was asked for."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        for number in itertools.count():
            await exchange.say(" ".join(str(pow(7, number + n, 10**9 + 7)) for n in range(200)))
            await asyncio.sleep(0)

    return answer


def cuts(*deltas: str, line: bytes = b"") -> Answer:
    """Die after this, or amid this line."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        for delta in deltas:
            await exchange.say(delta)
        if line:
            await exchange.send(line)
        await exchange.reset()

    return answer


def ends_early(*deltas: str) -> Answer:
    """End the answer neatly, without having said that it is over."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        for delta in deltas:
            await exchange.say(delta)
        await exchange.end()

    return answer


def lingers(*deltas: str) -> Answer:
    """Say that it is over, and keep the connection."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        for delta in deltas:
            await exchange.say(delta)
        await exchange.event(chunk("", finish_reason="stop"))
        await exchange.until_hung_up()

    return answer


def endless_line() -> Answer:
    """Send a line that never ends."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.send(b"data: ")
        while True:
            await exchange.send(MUCH)

    return answer


def endless_error() -> Answer:
    """Fail with a message that never ends."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head(500, {"content-type": "text/plain"})
        while True:
            await exchange.send(MUCH)

    return answer


def nonsense() -> Answer:
    """Send events that are no chunks, some no JSON."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        for content in (None, 1, [], {"choices": 3}, {"choices": [{"delta": [], "index": "x"}]}):
            await exchange.event(content)
        await exchange.send(b"data: {" + b"[" * 5000 + b"\n\n")
        await exchange.end()

    return answer


def fails_amid(text: str, code: int = 500) -> Answer:
    """Say this and then, in the stream, that it failed."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.say(text)
        await exchange.event({"error": {"message": f"no more of {text}", "code": code}})
        await exchange.end()

    return answer


def page(status: int = 200) -> Answer:
    """Answer by a page for people, as proxies do."""

    async def answer(exchange: Exchange) -> None:
        body = b"<html><body>\n\ndata: sign in first\n\n</body></html>"
        await exchange.whole(status, body, {"content-type": "text/html"})

    return answer


def refuses(message: str, status: int = 400, **headers: str) -> Answer:
    """Refuse the call as vLLM does."""
    error = {"message": message, "type": "BadRequestError", "param": None, "code": status}
    return replies({"error": error}, status, **headers)
