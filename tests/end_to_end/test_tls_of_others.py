"""TLS of an Envoy that others run, with the files that `ocr-grpc envoy-config` wrote."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocr_grpc.sidecar.envoy import find_envoy
from tests.certificates import Authority
from tests.processes import COMMAND, environment

SECONDS = 10


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def data_folder(files: Path, authority: Authority, name: str) -> Path:
    """Make a folder as Kubernetes does for each state of a secret."""
    folder = files / f"..{name}"
    folder.mkdir(parents=True)
    for source, target in zip(authority.issue(name, "localhost"), ("crt", "key"), strict=True):
        shutil.copy(source, folder / f"tls.{target}")
    return folder


@pytest.fixture
def files(tmp_path, authority) -> Path:
    """Return a folder with a certificate, mounted as Kubernetes does it."""
    files = tmp_path / "secret"
    (files / "..data").symlink_to(data_folder(files, authority, "first").name)
    for name in ("tls.crt", "tls.key"):
        (files / name).symlink_to(f"..data/{name}")
    return files


@pytest.fixture
def port(tmp_path, files) -> Iterator[int]:
    """Run such an Envoy; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = {"TLS_CERT_FILE": str(files / "tls.crt"), "TLS_KEY_FILE": str(files / "tls.key")}
    subprocess.run(
        [COMMAND, "envoy-config", str(tmp_path / "envoy"), "--upstream", "127.0.0.1:1"],
        env=environment(tmp_path, HTTP_PORT=str(port), **settings),
        check=True,
        capture_output=True,
    )
    config = str(tmp_path / "envoy" / "envoy.json")
    with subprocess.Popen(
        [str(find_envoy(None)), "-c", config, "--concurrency", "1", "--disable-hot-restart"],
        stderr=subprocess.DEVNULL,
    ) as envoy:
        yield port
        envoy.terminate()


def serial_number(port: int, authority: Authority) -> str:
    context = ssl.create_default_context(cafile=authority.certificate)
    end = time.monotonic() + SECONDS
    while True:
        try:
            plain = socket.create_connection(("127.0.0.1", port), SECONDS)
            with plain, context.wrap_socket(plain, server_hostname="localhost") as secure:
                return secure.getpeercert()["serialNumber"]
        except OSError:  # not up yet
            assert time.monotonic() < end, "It never listened."
            time.sleep(0.05)


def changed(port: int, authority: Authority, before: str) -> str:
    end = time.monotonic() + SECONDS
    while (now := serial_number(port, authority)) == before:
        assert time.monotonic() < end, "The certificate stayed."
        time.sleep(0.05)
    return now


def test_it_takes_what_kubernetes_or_mv_put_in_place(port, files, authority):
    first = serial_number(port, authority)
    (files / "..new").symlink_to(data_folder(files, authority, "second").name)
    (files / "..new").replace(files / "..data")
    second = changed(port, authority, first)
    for source, name in zip(authority.issue("third", "localhost"), ("crt", "key"), strict=True):
        shutil.copy(source, files / "new")
        (files / "new").replace(files / f"tls.{name}")
    third = changed(port, authority, second)
    assert len({first, second, third}) == 3
    # certbot makes links in place of links, which Envoy does not see; its hook moves any file in.
    for source, name in zip(authority.issue("fourth", "localhost"), ("crt", "key"), strict=True):
        (files / f"tls.{name}").unlink()
        (files / f"tls.{name}").symlink_to(source)
    (files / "hook").touch()
    (files / "hook").replace(files / ".renewed")
    assert changed(port, authority, third) not in {first, second}
