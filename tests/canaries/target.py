"""What nobody may touch: a server that notes who connects, and a file with a secret."""

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
SHARE_PORTS = (445, 139, 80)
"""Where addresses lead that cannot name a port; listened to where we may."""


@dataclass
class Target:
    """Where hostile documents point to.

    Attributes:
        hits: who came, so far.
        secret: what stands in the file at `path`, and nowhere else.
    """

    port: int
    path: Path
    secret: str
    hits: list[str] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        """Return every way to point to the server and to files."""
        where = f"{HOST}:{self.port}"
        return [
            f"http://{where}/canary.png", f"https://{where}/canary.png", f"//{where}/canary.png",
            f"ftp://{where}/canary.png", f"HTTP://LOCALHOST:{self.port}/canary.dtd",
            f"\\\\{HOST}@{self.port}\\share\\canary.png", f"\\\\{HOST}\\share\\canary.docx",
            f"smb://{where}/share/canary", f"ldap://{where}/x", f"gopher://{where}/_x",
            f"jar:http://{where}/canary.jar!/x", f"ws://{where}/", f"telnet://{where}",
            self.path.as_uri(), str(self.path), "../" * 20 + str(self.path)[1:],
            "file:///etc/passwd", "/etc/passwd", "../" * 20 + "etc/passwd", "/proc/self/environ",
            "php://filter/resource=/etc/passwd", "expect://id",
        ]  # fmt: skip

    @property
    def url(self) -> str:
        """Return one address of the server."""
        return self.addresses[0]

    @property
    def file_url(self) -> str:
        """Return the address of the file."""
        return self.path.as_uri()


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    """Listen, and keep a secret, for the time of a `with`."""
    secret = f"canary-{secrets.token_hex(16)}"
    path = folder / "canary.txt"
    path.write_text(f"{secret}\n")
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server((HOST, 0)))
        found = Target(first.getsockname()[1], path, secret)
        listeners = [first, stack.enter_context(_datagrams(found.port))]
        for port in SHARE_PORTS:
            with suppress(OSError):
                listeners.append(stack.enter_context(socket.create_server((HOST, port))))
        stop = threading.Event()
        threads = [
            threading.Thread(target=_watch, args=(each, stop, found.hits)) for each in listeners
        ]
        for thread in threads:
            thread.start()
        try:
            yield found
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def _datagrams(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind((HOST, port))
    return listening


def _watch(listening: socket.socket, stop: threading.Event, hits: list[str]) -> None:
    listening.settimeout(0.1)
    while not stop.is_set():
        with suppress(TimeoutError):
            if listening.type == socket.SOCK_DGRAM:
                hits.append(f"datagram {listening.recv(2048)!r}")
                continue
            connection, address = listening.accept()
            with connection:
                hits.append(f"{address} to port {listening.getsockname()[1]}")
