"""The archive of protos compiles as it is, and is the same bytes whenever it is made."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from ocr_grpc.openapi.__main__ import WEB
from ocr_grpc.openapi.archive import protos_archive
from ocr_grpc.openapi.comments import PROTOS
from ocr_grpc.rpc.access import SERVICES


def test_the_archive_compiles_after_unpacking(tmp_path):
    zipfile.ZipFile(WEB / "protos.zip").extractall(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("ocr_grpc/v1/*.proto")]
    out = tmp_path / "out.binpb"
    # What protoc itself brings, and nothing of this machine's packages.
    own = Path(grpc_tools.__file__).parent / "_proto"
    command = [sys.executable, "-c", "import sys; from grpc_tools import protoc; "]
    command[-1] += "sys.exit(protoc.main(sys.argv))"
    arguments = [f"-I{tmp_path}", f"-I{own}", f"--descriptor_set_out={out}", *names]
    subprocess.run([*command, *arguments], check=True)
    files = FileDescriptorSet.FromString(out.read_bytes()).file
    services = {f"{file.package}.{service.name}" for file in files for service in file.service}
    assert services == {service.full_name for service in SERVICES}


def test_the_archive_holds_the_protos_as_they_are_and_no_internal_ones():
    archive = zipfile.ZipFile(WEB / "protos.zip")
    ours = [name for name in archive.namelist() if name.startswith("ocr_grpc/")]
    assert ours == sorted(f"ocr_grpc/v1/{path.name}" for path in PROTOS.glob("ocr_grpc/v1/*"))
    for name in ours:
        assert archive.read(name) == (PROTOS / name).read_bytes()


def test_the_protos_of_others_come_with_their_licence():
    licence = zipfile.ZipFile(WEB / "protos.zip").read("google/LICENSE")
    assert b"Apache License" in licence


def test_the_archive_is_the_same_bytes_whenever_it_is_made():
    assert protos_archive() == protos_archive()
    entries = zipfile.ZipFile(io.BytesIO(protos_archive())).infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
