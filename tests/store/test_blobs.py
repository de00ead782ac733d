"""Where documents lie: in a folder, and in a store that speaks S3."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import SimpleNamespace

import pytest
import structlog

from ocr_grpc.store.base import new_id
from ocr_grpc.store.blob_copies import BlobCopies
from ocr_grpc.store.blobs import Blobs
from ocr_grpc.store.errors import BlobMissing, BlobsUnavailable

MIB = 1024 * 1024
SECRET = "not-to-be-seen-anywhere"


@pytest.fixture(scope="module")
def s3():
    """A server that speaks S3, its bucket `docs`, and the environment that leads to it."""
    # Loaded here: this takes a second, and only tests of this module need it.
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="docs")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", endpoint)
        environment.setenv("AWS_ALLOW_HTTP", "true")
        environment.setenv("AWS_REGION", "us-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "key")
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield SimpleNamespace(client=client, environment=environment)
    client.close()
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def url(request, tmp_path) -> str:
    if request.param == "folder":
        return ""
    request.getfixturevalue("s3")
    return "s3://docs/of/ours"


@pytest.fixture
async def blobs(url, tmp_path):
    opened = Blobs(url, tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def remote(s3, tmp_path):
    opened = Blobs(f"s3://docs/{new_id()}", tmp_path)
    yield opened
    await opened.close()


async def chunks(size: int, each: int = MIB) -> AsyncGenerator[bytes, None]:
    for start in range(0, size, each):
        yield bytes([start // each % 251]) * min(each, size - start)


async def collected(stream: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([chunk async for chunk in stream])


async def read(blobs: Blobs, key: str, folder) -> bytes:
    async with blobs.local(key, folder) as path:
        return path.read_bytes()


def left_in(s3) -> list[str]:
    """Return what there is in the bucket below a prefix that no test shares, hidden parts too."""
    whole = s3.client.list_objects_v2(Bucket="docs").get("Contents", [])
    parts = s3.client.list_multipart_uploads(Bucket="docs").get("Uploads", [])
    return [each["Key"] for each in (*whole, *parts)]


# One request; some parts and three ranges; the last part and the last range end with it exactly.
@pytest.mark.parametrize("size", [1, 17 * MIB + 3, 10 * MIB, 8 * MIB])
async def test_what_was_put_comes_back(blobs, tmp_path, size):
    key = new_id()
    await blobs.put(key, chunks(size))
    assert await read(blobs, key, tmp_path) == await collected(chunks(size))


async def test_nothing_is_no_blob(blobs, tmp_path):
    key = new_id()
    with pytest.raises(ValueError, match="at least one byte"):
        await blobs.put(key, chunks(0))
    with pytest.raises(BlobMissing):
        await read(blobs, key, tmp_path)


async def test_many_small_chunks_become_one_blob(blobs, tmp_path):
    key = new_id()
    await blobs.put(key, chunks(6 * MIB, 60_000))
    assert await read(blobs, key, tmp_path) == await collected(chunks(6 * MIB, 60_000))


async def test_files_and_bytes_can_be_put_as_well(blobs, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"from a file")
    await blobs.put_file("of-a-file", file)
    await blobs.put_bytes("of-bytes", b"from memory")
    assert await read(blobs, "of-a-file", tmp_path) == b"from a file"
    assert await read(blobs, "of-bytes", tmp_path) == b"from memory"


async def test_what_was_deleted_is_missing_and_deleting_it_again_is_no_matter(blobs, tmp_path):
    keys = [new_id(), new_id()]
    for key in keys:
        await blobs.put_bytes(key, b"x")
        assert await read(blobs, key, tmp_path) == b"x"
    await blobs.delete([new_id(), *keys])
    await blobs.delete(keys)
    for key in keys:
        with pytest.raises(BlobMissing):
            await read(blobs, key, tmp_path)


@pytest.mark.parametrize("key", ["", "..", "../../etc/passwd", "a/b/c", "a" * 65, "ab\0c", "äöü"])
async def test_no_key_leads_elsewhere(blobs, tmp_path, key):
    with pytest.raises(BlobMissing):
        await blobs.put_bytes(key, b"x")
    with pytest.raises(BlobMissing):
        await read(blobs, key, tmp_path)
    with pytest.raises(BlobMissing):
        await blobs.delete([key])


async def test_a_store_that_works_is_found_to(blobs):
    with pytest.raises(BlobsUnavailable):
        await blobs.ping()  # it may be another one
    assert await blobs.marker() == ""
    await blobs.mark("ours")
    await blobs.ping()
    assert await blobs.marker() == "ours"


@pytest.mark.parametrize("size", [10, 7 * MIB])
async def test_chunks_that_fail_leave_nothing_and_say_so_themselves(blobs, tmp_path, size):
    key = new_id()

    async def failing() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks(size)) as some:
            async for chunk in some:
                yield chunk
        raise ConnectionError("the caller hung up")  # an OSError, as those of a store may be

    with pytest.raises(ConnectionError):
        await blobs.put(key, failing())
    with pytest.raises(BlobMissing):
        await read(blobs, key, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [10, 7 * MIB])
async def test_a_cancelled_put_leaves_nothing(blobs, tmp_path, size):
    key, arrived = new_id(), asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks(size)) as some:
            async for chunk in some:
                yield chunk
        arrived.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(blobs.put(key, endless()))
    await arrived.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    with pytest.raises(BlobMissing):
        await read(blobs, key, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_parts_of_an_abandoned_upload_do_not_stay_hidden_in_the_bucket(s3, remote):
    before = left_in(s3)

    async def failing() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks(6 * MIB)) as some:
            async for chunk in some:
                yield chunk
        raise ValueError

    with pytest.raises(ValueError):
        await remote.put(new_id(), failing())
    assert left_in(s3) == before


async def test_a_folder_is_for_its_owner_alone_and_its_files_are_not_copied(tmp_path):
    blobs = Blobs(f"file://{tmp_path}/a%20folder", tmp_path / "data")
    for size in (3, 3 * MIB):
        key = new_id()
        await blobs.put(key, chunks(size))
        async with blobs.local(key, tmp_path / "nowhere") as path:
            assert path == tmp_path / "a folder" / key[:2] / key
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a folder").stat().st_mode & 0o777 == 0o700


async def test_what_a_killed_process_left_of_an_upload_goes_with_its_key(tmp_path):
    blobs, key = Blobs("", tmp_path), new_id()
    left = tmp_path / "blobs" / key[:2] / f"{key}#1"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    await blobs.delete([key])
    assert not left.exists()


async def test_a_full_or_broken_disk_is_for_now(tmp_path):
    blobs = Blobs("", tmp_path)
    (tmp_path / "blobs" / "ab").write_bytes(b"where a folder should be")
    with pytest.raises(BlobsUnavailable):
        await blobs.put_bytes("abcdef", b"x")


async def test_all_who_read_a_document_share_one_copy_for_their_owner_alone(remote, tmp_path):
    key = new_id()
    await remote.put_bytes(key, b"x" * 1000)
    async with remote.local(key, tmp_path) as first, remote.local(key, tmp_path) as second:
        assert first == second
        assert first.stat().st_mode & 0o777 == 0o600
    async with remote.local(key, tmp_path) as third:
        assert third == first  # kept for the next chunk
        await remote.delete([key])
        assert third.read_bytes() == b"x" * 1000
    assert not first.exists()


class Downloads:
    """Counts downloads, which end when they are told to."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.began, self.may_end = asyncio.Event(), asyncio.Event()

    async def download(self, name: str, path) -> int:
        self.names.append(name)
        path.write_bytes(b"half")
        self.began.set()
        await self.may_end.wait()
        path.write_bytes(name.encode() * 10)
        return 10 * len(name)


async def test_a_copy_is_downloaded_once_and_one_who_gives_up_does_not_end_it(tmp_path):
    downloads = Downloads()
    copies = BlobCopies(downloads.download)

    async def read() -> bytes:
        async with copies.held("a", tmp_path) as path:
            return path.read_bytes()

    reading = [asyncio.create_task(read()) for _ in range(3)]
    await downloads.began.wait()
    reading[0].cancel()
    await asyncio.wait({reading[0]})
    downloads.may_end.set()
    assert await asyncio.gather(*reading[1:]) == [b"a" * 10] * 2
    assert downloads.names == ["a"]
    await copies.close()
    assert not list(tmp_path.iterdir())


async def test_a_download_that_nobody_waits_for_is_ended_and_leaves_nothing(tmp_path):
    downloads = Downloads()
    copies = BlobCopies(downloads.download)

    async def read() -> None:
        async with copies.held("a", tmp_path):
            raise AssertionError

    reading = asyncio.create_task(read())
    await downloads.began.wait()
    reading.cancel()
    await asyncio.wait({reading})
    await asyncio.sleep(0)
    assert not list(tmp_path.iterdir())
    downloads.may_end.set()
    async with copies.held("a", tmp_path):
        assert downloads.names == ["a", "a"]
    await copies.close()


async def test_unused_copies_are_kept_while_there_is_room_the_newest_longest(tmp_path):
    downloads = Downloads()
    downloads.may_end.set()
    copies = BlobCopies(downloads.download, kept_bytes=20)
    for name in ("a", "b", "a", "c", "a", "b"):
        async with copies.held(name, tmp_path):
            pass
    assert downloads.names == ["a", "b", "c", "b"]
    assert len(list(tmp_path.iterdir())) == 2
    await copies.close()


@pytest.fixture
def told() -> list:
    with structlog.testing.capture_logs() as entries:
        yield entries


async def test_a_store_that_does_not_answer_is_for_now_and_no_key_is_shown(s3, tmp_path, told):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and does not listen
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ENDPOINT_URL", nobody)
            blobs = Blobs("s3://docs/there", tmp_path)
        key = new_id()
        for call in (
            blobs.put_bytes(key, b"x"),
            blobs.put(key, chunks(6 * MIB)),
            read(blobs, key, tmp_path),
            blobs.delete([key]),
            blobs.ping(),
        ):
            with pytest.raises(BlobsUnavailable) as refused:
                await call
            assert nobody not in str(refused.value)
        for call in (blobs.marker(), blobs.mark("ours")):
            with pytest.raises(BlobsUnavailable):
                await call
    assert {entry["event"] for entry in told} == {"blobs_unavailable"}
    assert not {SECRET, nobody} & {word for entry in told for word in str(entry).split()}
    assert SECRET not in f"{blobs!r} {told}"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_bucket_that_is_not_there_is_told_by_its_code(s3, tmp_path, told):
    blobs = Blobs("s3://none-such/there", tmp_path)
    for call in (blobs.marker(), blobs.mark("ours")):
        sentence = r"BLOB_URL: .* s3://none-such/there: .* 404 NoSuchBucket"
        with pytest.raises(ValueError, match=sentence):
            await call
    with pytest.raises(BlobsUnavailable):
        await blobs.put_bytes(new_id(), b"x")
    assert "404 NoSuchBucket" in told[0]["error"]


@pytest.mark.parametrize("url", ["file://folder", "az://container/path", "s4://docs"])
def test_a_url_that_leads_nowhere_is_refused_with_the_name_of_the_setting(
    tmp_path, url, monkeypatch
):
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(ValueError, match="BLOB_URL"):
        Blobs(url, tmp_path)


@pytest.mark.parametrize(
    ("endpoint", "sentence"),
    [
        ("minio:9000", "AWS_ENDPOINT_URL begins with http:// or https://"),
        ("minio", "AWS_ENDPOINT_URL begins with http:// or https://"),
        ("http://minio:9000", "needs AWS_ALLOW_HTTP=true"),
    ],
)
def test_an_endpoint_that_cannot_be_meant_is_told(tmp_path, monkeypatch, endpoint, sentence):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    with pytest.raises(ValueError, match=f"BLOB_URL: .*{sentence}"):
        Blobs("s3://docs", tmp_path)


@pytest.mark.parametrize("url", ["az://container/some/prefix", "gs://bucket/some/prefix"])
def test_other_clouds_are_found_by_their_url_and_show_no_key(tmp_path, monkeypatch, url):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "bm90LXRvLWJlLXNlZW4=")
    blobs = Blobs(url, tmp_path)
    assert "bm90" not in f"{vars(blobs)}"
