"""Watches a server process and its children, and looks for what they left behind."""

import contextlib
import os
import threading
import time
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1
SETTLE_SECONDS = 15
"""How long killed readers may take to be gone, and new ones to be up, once all calls ended."""


def role(process: psutil.Process) -> str:
    """Return what a child of the server is: reader, engine, or something else by its name."""
    words = process.cmdline()
    for module in ("ocr_grpc.documents.child", "ocr_grpc.engines.worker"):
        if module in words:
            return module
    return process.name()


class Watch:
    """Samples memory, and remembers every process group, for the time of a `with`.

    Attributes:
        peak_bytes: the most that server and children together had resident.
        peak_child_bytes: the most that one child had.
        server_growth_bytes: how far the server itself grew, at most.
    """

    def __init__(self, server: psutil.Process) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._groups: set[int] = set()
        self._before = server.memory_info().rss
        self.peak_bytes = self.peak_child_bytes = self.server_growth_bytes = 0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            with contextlib.suppress(psutil.NoSuchProcess):
                own, children = self._server.memory_info().rss, 0
                for child in self._server.children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                        size = child.memory_info().rss
                        children += size
                        self.peak_child_bytes = max(self.peak_child_bytes, size)
                        if (group := os.getpgid(child.pid)) == child.pid:
                            self._groups.add(group)
                self.peak_bytes = max(self.peak_bytes, own + children)
                self.server_growth_bytes = max(self.server_growth_bytes, own - self._before)

    def left_behind(self) -> list[str]:
        """Return the processes of groups that were seen whose leader is gone, and zombies."""
        living = {child.pid for child in self._server.children()}
        found = []
        for process in psutil.process_iter(["name", "status"]):
            with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
                group = os.getpgid(process.pid)
                if group in self._groups and group not in living:
                    found.append(f"process {process.info['name']} outlived its reader")
        for child in self._server.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.status() == psutil.STATUS_ZOMBIE:
                    found.append(f"zombie {child.name()}")
        return found


def roles(server: psutil.Process) -> dict[str, int]:
    """Return how many children of each kind, and their children, a server has."""
    counts: dict[str, int] = {}
    for child in server.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            counts[role(child)] = counts.get(role(child), 0) + 1
    return counts


def files_below(folder: Path) -> list[str]:
    """Return the files and folders below a folder that are no part of a server at rest."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name != ".lock" and not path.name.startswith("serve-") and not path.is_socket()
    ]


def settled(
    server: psutil.Process, watch: Watch, wanted: dict[str, int], folders: list[Path]
) -> list[str]:
    """Wait until a server is at rest, and return what is left that should not be."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        problems = [
            f"left in {folder.name}: {name}" for folder in folders for name in files_below(folder)
        ]
        problems += watch.left_behind()
        if (found := roles(server)) != wanted:
            problems.append(f"children {found}, not {wanted}")
        if not problems or time.monotonic() > until:
            return problems
        time.sleep(0.2)
