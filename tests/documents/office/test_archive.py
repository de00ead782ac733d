"""Containers are believed in nothing: each trick has its own refusal, before it costs anything."""

import bz2
import gzip
import io
import lzma
import random
import struct
import subprocess
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from ocr_grpc.documents.document import DocumentKind
from ocr_grpc.documents.office.archives.archive import Archive
from ocr_grpc.documents.protocol import Failure, ReaderFailure
from tests.documents.conftest import opening
from tests.documents.office import archive_samples as samples
from tests.documents.office.archive_samples import MIB, zipped


def archive(content: bytes, **limits: int) -> Archive:
    asked = opening(io.BytesIO(content), DocumentKind.DOCX, **limits)
    return Archive(asked.file, asked.limits)


def refusal(content: bytes, **limits: int) -> ReaderFailure:
    with pytest.raises(ReaderFailure) as refused:
        archive(content, **limits)
    return refused.value


def tar() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as packed:
        packed.addfile(tarfile.TarInfo("a"))
    return written.getvalue()


def test_members_are_read_as_they_were_written():
    content = {
        "a.xml": b"<a/>",
        "word/b.xml": random.Random(1).randbytes(MIB),
        "empty.txt": b"",
    }
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        opened = archive(zipped(content, method))
        assert opened.names == tuple(content)
        assert {name: opened.read(name) for name in opened.names} == content
        assert "a.xml" in opened
        assert "c.xml" not in opened


def test_a_member_that_is_not_there_cannot_be_read():
    with pytest.raises(ReaderFailure, match="corrupt"):
        archive(zipped({"a.xml": b"<a/>"})).read("b.xml")


class Unseekable(io.RawIOBase):
    """What a program writes to that streams its document: sizes come behind the members."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content) -> int:
        self.written += content
        return len(content)


def test_sizes_that_follow_folders_comments_and_zip64_are_fine():
    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/", b"")
        with packed.open("word/document.xml", "w", force_zip64=True) as member:
            member.write(b"<a/>")
        packed.writestr("umlaut-ä.xml", b"<b/>")
        packed.comment = b"made by a phone"
    opened = archive(bytes(stream.written))
    assert opened.names == ("word/document.xml", "umlaut-ä.xml")
    assert opened.read("word/document.xml") == b"<a/>"


def test_what_info_zip_writes_is_fine(tmp_path: Path):
    (tmp_path / "word").mkdir()
    (tmp_path / "word" / "document.xml").write_bytes(b"<a/>")
    try:
        subprocess.run(["zip", "-qr", "a.zip", "word"], cwd=tmp_path, check=True)
    except FileNotFoundError:
        pytest.skip("Info-ZIP is not installed")
    assert archive((tmp_path / "a.zip").read_bytes()).read("word/document.xml") == b"<a/>"


def test_more_members_than_allowed_are_refused():
    many = zipped({f"{n}.xml": b"" for n in range(11)})
    refused = refusal(many, max_archive_members=10)
    assert (refused.code, refused.fields) == (Failure.ARCHIVE_MEMBERS, {"found": 11})
    assert len(archive(many, max_archive_members=11).names) == 11


def test_a_million_members_are_refused_before_they_are_parsed():
    refused = refusal(samples.with_a_million_entries())
    assert refused.code is Failure.ARCHIVE_MEMBERS


def test_a_count_that_is_not_true_is_refused():
    content = zipped({f"{n}.xml": b"" for n in range(5)})
    end = content.rindex(b"PK\5\6")
    lying = content[: end + 8] + struct.pack("<2H", 1, 1) + content[end + 12 :]
    assert refusal(lying).code is Failure.ARCHIVE_AMBIGUOUS


def test_a_member_that_unpacks_too_much_is_refused_by_ratio():
    refused = refusal(samples.bomb())
    assert refused.code is Failure.ARCHIVE_RATIO
    assert refused.fields["found"] > 900


def test_small_members_may_be_packed_as_tightly_as_they_like():
    assert archive(samples.bomb(size=MIB)).names == ("word/document.xml",)


def test_many_small_bombs_are_refused_by_their_sum():
    content = zipped({f"{n}.xml": b"\0" * MIB for n in range(20)})
    assert refusal(content).code is Failure.ARCHIVE_RATIO


def test_more_bytes_than_allowed_are_refused():
    content = zipped({"a.xml": bytes(range(256)) * 40, "b.xml": bytes(range(256)) * 40})
    refused = refusal(content, max_archive_bytes=20_000)
    assert (refused.code, refused.fields) == (Failure.ARCHIVE_BYTES, {"found": 20_480})


def test_a_bomb_that_lies_about_its_size_is_unpacked_no_further_than_it_says():
    chunks = archive(samples.lying_bomb(said=1000)).chunks("word/document.xml")
    tracemalloc.start()
    with pytest.raises(ReaderFailure, match="ambiguous"):
        list(chunks)
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()


def test_a_member_shorter_than_it_says_is_damaged():
    opened = archive(samples.lying_bomb(said=1000, size=900))
    with pytest.raises(ReaderFailure, match="corrupt"):
        opened.read("word/document.xml")


def test_a_member_with_a_wrong_checksum_is_damaged():
    content = zipped({"a.xml": b"<a>hello</a>"}, zipfile.ZIP_STORED).replace(b"hello", b"hullo")
    with pytest.raises(ReaderFailure, match="corrupt"):
        archive(content).read("a.xml")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../a.xml",
        "word/../../a.xml",
        "C:/a.xml",
        "C:a.xml",
        "word\\a.xml",
        "a\0.xml",
    ],
)
def test_names_that_lead_outside_are_refused(name: str):
    assert refusal(zipped({"a.xml": b"", name: b"x"})).code is Failure.ARCHIVE_PATH


def test_links_and_devices_are_refused():
    assert refusal(samples.linked()).code is Failure.ARCHIVE_LINK
    device = samples.with_directory_field(zipped({"a": b""}), 38, struct.pack("<L", 0o060666 << 16))
    assert refusal(device).code is Failure.ARCHIVE_LINK


@pytest.mark.parametrize(
    "content",
    [
        samples.with_two_of_one_name(),
        zipped({"word/a.xml": b"<a/>", "Word/A.xml": b"<b/>"}),
        zipped({"word/a.xml": b"<a/>", "word/./a.xml": b"<b/>"}),
        samples.overlapping(),
        samples.with_hidden_member(),
        b"PK\3\4 something before " + zipped({"a.xml": b"<a/>"}),
        samples.with_directory_field(zipped({"a.xml": b"<a/>"}), 46, b"b.xml"),
        zipped({"a.xml": b"<a/>"})[:-2] + struct.pack("<H", 60) + b"?" * 38 + zipped({})[:22],
    ],
    ids=[
        "two of one name",
        "two that differ by case",
        "two that differ by a dot",
        "overlapping",
        "hidden",
        "something before",
        "two names for one",
        "an end inside of the comment",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(content: bytes):
    assert refusal(content).code is Failure.ARCHIVE_AMBIGUOUS


@pytest.mark.parametrize(
    "nested",
    [
        zipped({"a": b"a"}),
        zipped({}),
        gzip.compress(b"a"),
        bz2.compress(b"a"),
        lzma.compress(b"a"),
        b"7z\xbc\xaf\x27\x1c\0\4",
        b"Rar!\x1a\x07\x01\0",
        b"\x28\xb5\x2f\xfd\0\0",
        tar(),
    ],
    ids=["zip", "empty zip", "gzip", "bzip2", "xz", "7z", "rar", "zstd", "tar"],
)
def test_an_archive_inside_is_refused_but_where_objects_are_embedded(nested: bytes):
    for name in ("word/media/image1.png", "word/document.xml", "more.zip"):
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            refused = refusal(zipped({"a.xml": b"<a/>", name: nested}, method))
            assert refused.code is Failure.ARCHIVE_NESTED
    for name in ("xl/embeddings/Microsoft_Excel.xlsx", "ppt/media/image1.emz", "Object 1"):
        assert name in archive(zipped({name: nested})).names


def test_an_encrypted_member_is_told():
    content = zipped({"a.xml": b"<a/>"})
    flagged = content.replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0")
    flagged = samples.with_directory_field(flagged, 8, b"\1\0")
    assert refusal(flagged).code is Failure.ENCRYPTED


def test_other_ways_of_packing_are_refused():
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert refusal(zipped({"a.xml": b"<a/>"}, method)).code is Failure.CORRUPT


def test_what_is_cut_off_or_no_container_at_all_is_damaged():
    content = zipped({"a.xml": b"<a/>" * 100, "b.xml": b"<b/>"})
    for size in (4, 30, len(content) // 2, len(content) - 25):
        assert refusal(content[:size]).code is Failure.CORRUPT
    assert refusal(b"PK\5\6").code is Failure.CORRUPT


def test_no_damage_to_a_byte_raises_anything_else():
    content = zipped({"a.xml": b"<a/>" * 100, "word/b.xml": b"<b/>"})
    for place in range(len(content)):
        for value in (0, 0x7F, 0xFF):
            damaged = content[:place] + bytes((value,)) + content[place + 1 :]
            try:
                opened = archive(damaged)
                for name in opened.names:
                    opened.read(name)
            except ReaderFailure:
                pass


def test_other_libraries_get_the_markup_and_only_the_names_of_the_rest():
    opened = archive(
        zipped(
            {
                "word/document.xml": b"<a/>",
                "mimetype": b"application/vnd.oasis.opendocument.text",
                "word/media/image1.png": b"\x89PNG",
                "word/vbaProject.bin": b"macro",
                "customXml/item1.xml": b"<!DOCTYPE a><a/>",
                "word/settings.xml": b"<settings/>",
            }
        )
    )
    written = opened.without_media({"word/settings.xml": b"<other/>"})
    with zipfile.ZipFile(io.BytesIO(written)) as checked:
        assert checked.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert {name: checked.read(name) for name in checked.namelist()} == {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "word/document.xml": b"<a/>",
            "word/media/image1.png": b"",
            "word/vbaProject.bin": b"",
            "customXml/item1.xml": b"",
            "word/settings.xml": b"<other/>",
        }
    assert written[30:38] == b"mimetype"


def test_other_libraries_get_no_doctype():
    for name in ("word/document.xml", "word/_rels/document.xml.rels"):
        opened = archive(zipped({name: b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}))
        with pytest.raises(ReaderFailure, match="doctype"):
            opened.without_media()


def test_books_may_name_a_doctype_but_declare_nothing_in_it():
    xhtml = b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://a.b/c.dtd"><html/>'
    book = {"mimetype": b"application/epub+zip", "a.xhtml": xhtml, "b.html": b"<p>no <br> XML"}
    archive(zipped(book)).without_media()
    with pytest.raises(ReaderFailure, match="doctype"):
        archive(zipped({**book, "c.html": b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'})).without_media()


def test_empty_parts_and_macros_of_open_document_are_no_reason_to_refuse():
    members = {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": b"<a/>",
        "Configurations2/accelerator/current.xml": b"",
        "Basic/script-lc.xml": b'<!DOCTYPE library PUBLIC "-//OpenOffice.org" "library.dtd"><a/>',
        "META-INF/manifest.xml": b'<!DOCTYPE manifest SYSTEM "Manifest.dtd"><manifest/>',
        "settings.xml": b"",
    }
    assert b"content.xml" in archive(zipped(members)).without_media()
