"""A receiver of error reports, as Sentry is one, that keeps what it is sent."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAIT_SECONDS = 20.0


class Sentry:
    """Keeps the events of envelopes."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.raw = b""
        self.dsn = ""
        self._news = threading.Condition()

    def take(self, envelope: bytes) -> None:
        _, _, rest = envelope.partition(b"\n")
        with self._news:
            self.raw += envelope
            while rest.strip():
                header, _, rest = rest.partition(b"\n")
                told = json.loads(header)
                size = told.get("length", len(rest.partition(b"\n")[0]))
                item, rest = rest[:size], rest[size:].lstrip(b"\n")
                if told["type"] == "event":
                    self.events.append(json.loads(item))
            self._news.notify_all()

    def wait_for(self, count: int) -> None:
        with self._news:
            came = self._news.wait_for(lambda: len(self.events) >= count, WAIT_SECONDS)
        assert came, self.events


@contextmanager
def receiving(answers_after: threading.Event | None = None) -> Iterator[Sentry]:
    """Receive reports; with an event, answer none before it is set."""
    sentry = Sentry()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            sentry.take(body)
            if answers_after:
                answers_after.wait(WAIT_SECONDS)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    sentry.dsn = f"http://publickey@127.0.0.1:{server.server_port}/1"
    try:
        yield sentry
    finally:
        if answers_after:
            answers_after.set()
        server.shutdown()
        server.server_close()
        thread.join()
