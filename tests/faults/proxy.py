"""A proxy before PostgreSQL or Redis that can be cut, as a process of its own.

    python -m tests.faults.proxy 127.0.0.1:5433 /tmp/socket-or-host:port

Takes words on its standard input: `pass` passes everything on; `refuse` breaks what is open and
takes no connection; `hang` keeps what is open, takes connections, and passes nothing either way.
"""

import argparse
import asyncio
import sys
from contextlib import suppress

PIECE_BYTES = 65536


class Proxy:
    """Passes bytes between connections, for as long as it is told to."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False
        self._connections: set[asyncio.Task[None]] = set()

    def obey(self, word: str) -> None:
        """Do as told from now on."""
        self._refusing = word == "refuse"
        if word == "hang":
            self._passing.clear()
        else:
            self._passing.set()
        if self._refusing:
            for connection in self._connections:
                connection.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes over one connection, until one side closes it."""
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        writers = [writer]
        try:
            if not self._refusing:
                far_reader, far_writer = await self._connect()
                writers.append(far_writer)
                ways = [
                    asyncio.create_task(self._pass(reader, far_writer)),
                    asyncio.create_task(self._pass(far_reader, writer)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # cut off, or nobody is there
        finally:
            self._connections.discard(task)
            for each in writers:
                each.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        await self._passing.wait()
        if self._target.startswith("/"):
            return await asyncio.open_unix_connection(self._target)
        host, _, port = self._target.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                await self._passing.wait()
                writer.write(piece)
                await writer.drain()


async def run(listen: str, target: str) -> None:
    """Serve until the standard input ends, which it does with the parent."""
    host, _, port = listen.rpartition(":")
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, host, int(port), backlog=256)
    print("ready", flush=True)
    words = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    while line := await words.readline():
        proxy.obey(line.decode().strip())
    server.close()


def main() -> None:
    """Run the proxy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listen")
    parser.add_argument("target")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.listen, arguments.target))


if __name__ == "__main__":
    main()
