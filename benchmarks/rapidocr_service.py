"""rapidocr_api, the HTTP service around RapidOCR, run beside a benchmark in its own environment.

Its environment is made on demand in `.build` by pip, because nothing of ours depends on it.
"""

import atexit
import http.client
import io
import json
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import psutil
from PIL import Image

from benchmarks.samples import Pixels

HOME = Path(".build/rapidocr-api")
"""Its environment, seen from the root of the repository."""
PACKAGES = ("rapidocr_api==0.2.0", "rapidocr==3.10.0", "onnxruntime>=1.31")
INSTALL_SECONDS = 300
START_SECONDS = 180
BOUNDARY = "page-of-a-benchmark"


class ServiceMissing(Exception):
    """It cannot be had here; the message says why."""


def installed() -> Path:
    """Return the Python that has the service, after installing it if need be.

    Raises:
        ServiceMissing: if its packages cannot be had.
    """
    python, done = HOME / "bin" / "python", HOME / ".installed"
    if not done.exists():
        venv.create(HOME, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES]
        try:
            subprocess.run(command, check=True, timeout=INSTALL_SECONDS, stderr=subprocess.DEVNULL)
        except (subprocess.SubprocessError, OSError) as error:
            raise ServiceMissing(f"pip could not install {PACKAGES[0]}") from error
        done.touch()
    return python


class RapidOcrService:
    """The service in a child process, from its start to the end of this one."""

    def __init__(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ServiceMissing: if it cannot be installed or does not start.
        """
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        arguments = ["-m", "rapidocr_api.main", "-ip", "127.0.0.1", "-p", str(self._port)]
        self._child = subprocess.Popen(
            [str(installed()), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        atexit.register(self._child.kill)
        self._process = psutil.Process(self._child.pid)
        self._await_start()

    def cpu_seconds(self) -> float:
        """Return the CPU time, user and system, that it has taken so far."""
        times = self._process.cpu_times()
        return times.user + times.system

    def read(self, image: Pixels, _dpi: float, _language: str) -> Iterator[str]:
        """Yield the text of a page, sent losslessly as a file upload."""
        sink = io.BytesIO()
        # Quickly packed: what the client spends is not the service's.
        Image.fromarray(image).convert("RGB").save(sink, "BMP")
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image_file"; '
            'filename="page.bmp"\r\nContent-Type: image/bmp\r\n\r\n'
        )
        body = head.encode() + sink.getvalue() + f"\r\n--{BOUNDARY}--\r\n".encode()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        try:
            kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            connection.request("POST", "/ocr", body, kind)
            lines = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        yield "\n".join(line["rec_txt"] for line in lines.values())

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise ServiceMissing("rapidocr_api did not start")


if __name__ == "__main__":
    print(installed(), file=sys.stderr)
