"""Calls through the HTTP door, as its clients make them."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.processes import serve_http

JSON = "application/json"
NDJSON = "application/x-ndjson"
SSE = "text/event-stream"


@contextmanager
def door(folder: Path, **settings: str) -> Iterator[httpx.Client]:
    """Run a server and yield a client of its HTTP door."""
    with serve_http(folder, **settings) as (_, _, url), client_of(url) as client:
        yield client


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=30, trust_env=False)


def authority(client: httpx.Client) -> str:
    """Return `host:port`, as gRPC wants it."""
    return f"{client.base_url.host}:{client.base_url.port}"


def reason(answer: httpx.Response) -> str:
    """Return the reason of an error, which is a `google.rpc.Status` whatever it is."""
    assert answer.headers["content-type"] == JSON, answer.text
    status = answer.json()
    assert set(status) == {"code", "message", "details"}
    info = detail(status, "ErrorInfo")
    assert info["domain"] == "ocr_grpc"
    return info["reason"]


def detail(status: dict[str, Any], kind: str) -> dict[str, Any]:
    kinds = {each["@type"].rpartition(".")[2]: each for each in status["details"]}
    return kinds[kind]


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the events of a stream of JSON lines."""
    assert answer.headers["content-type"] == NDJSON, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def kinds(found: list[dict[str, Any]]) -> list[str]:
    """Return what each event is; every one has a number besides."""
    return [next(iter(event.keys() - {"sequence"})) for event in found]


def curl(*arguments: str, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """Run curl, which prints the body alone."""
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", str(seconds), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def raw(client: httpx.Client, sent: bytes) -> bytes:
    """Send bytes that no client would, and return what comes until the connection is closed."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def envoy_of(server_pid: int, but: int = 0) -> psutil.Process:
    """Return the sidecar of a server, or the one after `but`, once it is there."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        for child in psutil.Process(server_pid).children():
            if child.name() == "envoy" and child.pid != but:
                return child
        time.sleep(0.01)
    raise AssertionError("There is no sidecar.")
