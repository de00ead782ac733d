"""The shipped Python client among the callers, as a process of its own."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.people import Metadata
from tests.upgrade.callers import LONG_DOCUMENT, LONG_PAGES, TEXTS, Seen

CLIENT = Path(__file__).parents[2] / "clients" / "python"
PYTHON = CLIENT / ".venv" / "bin" / "python"
PROGRAM = Path(__file__).with_name("client_program.py")
END_SECONDS = 180.0


def built() -> bool:
    """Return whether there is one to run."""
    return PYTHON.exists()


def write_documents(folder: Path) -> list[str]:
    """Write what it reads; return the names, the long document first."""
    folder.mkdir()
    contents = {"long.pdf": LONG_DOCUMENT}
    contents |= {f"{number}.md": text for number, text in enumerate(TEXTS)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in contents]


@asynccontextmanager
async def shipped_client(
    folder: Path, addresses: list[str], key: Metadata, seen: Seen
) -> AsyncIterator[None]:
    """Let it read documents and batches while the block runs, and let its calls end."""
    document, *texts = write_documents(folder)
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(str(PYTHON), str(PROGRAM), "ipv4:" + ",".join(addresses)),
        *(document, str(LONG_PAGES), *texts),
        env=inherited | {"OCR_API_KEY": key[0][1]},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    reading = asyncio.create_task(_read(process.stdout, seen))
    try:
        yield
        process.stdin.close()
        async with asyncio.timeout(END_SECONDS):
            await reading
            code = await process.wait()
        assert code == 0, code
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        reading.cancel()


async def _read(lines: asyncio.StreamReader, seen: Seen) -> None:
    async for line in lines:
        call = json.loads(line)
        seen.ends[f"Python client, {call['kind']}", call["end"]] += 1
        seen.pages += call["pages"]
