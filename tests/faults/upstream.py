"""The server of a vision-language model that does as the trial wants, as a process of its own.

    python -m tests.faults.upstream PORT MODE_FILE

The file says how it answers: `good`, `errors` (500), `hang`, `garbage` or `slow`.
"""

import asyncio
import sys
from pathlib import Path

from benchmarks.load.corpus import MODEL_TEXT
from tests.engines.vlm.answers import hangs, writes
from tests.engines.vlm.server import Answer, Exchange, ModelServer, replies

MODEL = "trial/vision-model"
SLOW_SECONDS = 0.5


async def garbage(exchange: Exchange) -> None:
    """Answer with what is no stream of events."""
    await exchange.head()
    await exchange.send(b"data: {\x00\xff not JSON\n\n" * 3)
    await exchange.end()


async def slow(exchange: Exchange) -> None:
    """Answer well, word by word."""
    await exchange.head()
    for word in MODEL_TEXT.split(" "):
        await exchange.say(word if word == MODEL_TEXT.split(" ")[0] else f" {word}")
        await asyncio.sleep(SLOW_SECONDS)
    await exchange.finish()


ANSWERS: dict[str, Answer] = {
    "good": writes(*MODEL_TEXT.partition(" ")),
    "errors": replies({"error": {"message": "broken"}}, status=500),
    "hang": hangs(),
    "garbage": garbage,
    "slow": slow,
}


async def run(port: int, mode_file: Path) -> None:
    """Serve until killed."""

    async def answer(exchange: Exchange) -> None:
        # A few bytes, in a process that has nothing else to do.
        await ANSWERS[mode_file.read_text().strip()](exchange)  # noqa: ASYNC240

    server = ModelServer([answer], MODEL)
    await server.start(port)
    print("ready", flush=True)
    while True:
        await asyncio.sleep(10)
        server.calls.clear()  # nobody asks for them here, and they hold pictures


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), Path(sys.argv[2])))
