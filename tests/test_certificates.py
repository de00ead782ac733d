"""The certificate of the service: which files are taken, and how a change of them is."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ocr_grpc.certificates import (
    CertificateFiles,
    CertificateUnusable,
    CertificateWatch,
    KeyPair,
    read_key_pair,
)
from tests.certificates import EC, Authority

Pair = tuple[Path, Path]


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def first(authority) -> Pair:
    return authority.issue("first", "first.example.com", "127.0.0.1")


@pytest.fixture(scope="module")
def second(authority) -> Pair:
    return authority.issue("second", "second.example.com", days=60)


def test_names_and_expiry_are_those_of_the_certificate(first):
    pair = read_key_pair(CertificateFiles(*first))
    assert pair.names == ("first.example.com", "127.0.0.1")
    assert pair.expire_time == pytest.approx(time.time() + 30 * 86400, abs=60)
    assert (pair.chain, pair.key) == (first[0].read_bytes(), first[1].read_bytes())


def test_neither_certificate_nor_key_is_in_a_repr(first):
    shown = repr(read_key_pair(CertificateFiles(*first)))
    assert "BEGIN" not in shown
    assert first[1].read_text().splitlines()[1] not in shown


def test_an_expired_certificate_can_still_be_read(authority):
    assert read_key_pair(CertificateFiles(*authority.expired("past"))).expire_time == 1580515200


def refused(chain: Path, key: Path) -> str:
    with pytest.raises(CertificateUnusable) as error:
        read_key_pair(CertificateFiles(chain, key))
    assert "BEGIN" not in str(error.value)
    return str(error.value)


def test_files_that_cannot_be_used_are_refused_with_the_setting(authority, first, second, tmp_path):
    (tmp_path / "large").write_bytes(b"-" * 2_000_000)
    os.mkfifo(tmp_path / "pipe")
    assert "TLS_KEY_FILE" in refused(first[0], second[1])
    assert "is not the key of the certificate" in refused(first[0], second[1])
    assert "TLS_CERT_FILE: " in refused(tmp_path / "none", first[1])
    assert "TLS_KEY_FILE: " in refused(first[0], tmp_path / "none")
    assert "is no file" in refused(tmp_path, first[1])
    assert "is no file" in refused(tmp_path / "pipe", first[1])
    assert "larger" in refused(tmp_path / "large", first[1])
    assert "in PEM" in refused(first[1], first[0])
    assert "is encrypted" in refused(first[0], authority.encrypted(first[1]))


def test_a_weak_key_is_refused(authority):
    weak = authority.self_signed("weak", "-newkey", "rsa:1024", "-nodes")
    assert "2048 bits" in refused(*weak)


def test_a_certificate_that_would_serve_nobody_is_refused(authority):
    curve = authority.self_signed(
        "curve", *EC[:2], "-pkeyopt", "ec_paramgen_curve:secp256k1", EC[4]
    )
    assert "No client could connect" in refused(*curve)
    client = authority.self_signed("client", *EC, "-addext", "extendedKeyUsage=clientAuth")
    assert "No client could connect" in refused(*client)


def copied(pair: Pair, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(pair[0], folder / "tls.crt")
    shutil.copy(pair[1], folder / "tls.key")


def in_place(folder: Path, pair: Pair) -> None:
    (folder / "tls.crt").write_bytes(pair[0].read_bytes())
    (folder / "tls.key").write_bytes(pair[1].read_bytes())


def by_renaming(folder: Path, pair: Pair) -> None:
    copied(pair, folder / "new")
    for name in ("tls.crt", "tls.key"):
        (folder / "new" / name).replace(folder / name)


def by_links(folder: Path, pair: Pair) -> None:
    """As certbot does it."""
    for name, file in zip(("tls.crt", "tls.key"), pair, strict=True):
        (folder / name).unlink()
        (folder / name).symlink_to(file)


def by_a_link_above(folder: Path, pair: Pair) -> None:
    """As Kubernetes does it."""
    copied(pair, folder / "..later")
    (folder / "..new").symlink_to("..later")
    (folder / "..new").replace(folder / "..data")


async def soon(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.05)


async def watched(folder: Path, change: Callable[[Path, Pair], None], pairs: list[Pair]) -> None:
    """Change files under a watch; it must tell about both pairs."""
    if change is by_a_link_above:
        copied(pairs[0], folder / "..earlier")
        (folder / "..data").symlink_to("..earlier")
        for name in ("tls.crt", "tls.key"):
            (folder / name).symlink_to(f"..data/{name}")
    else:
        copied(pairs[0], folder)
    watch = CertificateWatch(CertificateFiles(folder / "tls.crt", folder / "tls.key"))
    told: list[KeyPair] = []
    watch.follow(told.append)
    watch.start()
    change(folder, pairs[1])
    await soon(lambda: len(told) == 2)
    await watch.close()
    assert [pair.chain for pair in told] == [pair[0].read_bytes() for pair in pairs]
    assert watch.current is told[1]


async def test_whatever_way_files_are_replaced_it_is_noticed(tmp_path, first, second):
    changes = (in_place, by_renaming, by_links, by_a_link_above)
    await asyncio.gather(
        *(watched(tmp_path / change.__name__, change, [first, second]) for change in changes)
    )


async def test_half_a_pair_is_never_taken_and_told_of_once(tmp_path, first, second):
    copied(first, tmp_path / "live")
    chain, key = tmp_path / "live" / "tls.crt", tmp_path / "live" / "tls.key"
    with capture_logs() as logs:
        watch = CertificateWatch(CertificateFiles(chain, key))
        watch.start()
        told: list[KeyPair] = []
        watch.follow(told.append)
        chain.write_bytes(second[0].read_bytes())
        await asyncio.sleep(2.2)
        assert watch.current is told[0]
        key.write_bytes(second[1].read_bytes())
        await soon(lambda: len(told) == 2)
        await watch.close()
    assert told[1].key == second[1].read_bytes()
    assert [line["event"] for line in logs] == ["certificate_refused"]
    assert "is not the key" in logs[0]["reason"]
    assert "BEGIN" not in str(logs)


async def test_an_expired_or_missing_certificate_does_not_replace_a_good_one(
    tmp_path, first, authority
):
    copied(first, tmp_path / "live")
    with capture_logs() as logs:
        files = CertificateFiles(tmp_path / "live" / "tls.crt", tmp_path / "live" / "tls.key")
        watch = CertificateWatch(files)
        watch.start()
        in_place(tmp_path / "live", authority.expired("gone"))
        await asyncio.sleep(1.4)
        files.key.unlink()
        await asyncio.sleep(1.4)
        await watch.close()
    assert watch.current.chain == first[0].read_bytes()
    reasons = [line["reason"] for line in logs]
    assert "expired" in reasons[0]
    assert "No such file" in reasons[1]
    assert len(reasons) == 2


async def test_who_could_not_take_a_pair_is_told_again(tmp_path, first, second):
    copied(first, tmp_path / "live")
    folder = tmp_path / "live"
    watch = CertificateWatch(CertificateFiles(folder / "tls.crt", folder / "tls.key"))
    target = tmp_path / "there" / "chain"
    target.parent.mkdir()
    watch.follow(lambda pair: target.write_bytes(pair.chain) and None)
    target.unlink()
    target.parent.rmdir()
    in_place(folder, second)
    with capture_logs() as logs:
        watch.start()
        await asyncio.sleep(1.2)
        target.parent.mkdir()
        await soon(target.exists)
        await watch.close()
    assert target.read_bytes() == second[0].read_bytes()
    assert "certificate_not_passed_on" in [line["event"] for line in logs]
