"""What two versions that run side by side tell each other, beside tables."""

import json

from google.protobuf import descriptor_pb2

from ocr_grpc.extraction.kept_options import opened_options, sealed_options
from ocr_grpc.extraction.options import ExtractOptions, Mode
from ocr_grpc.store.sealing import Seal
from tests.clients.called import PROTOS

SEAL = Seal(b"a secret that both versions have, of course")


def test_kept_options_of_a_newer_version_are_read_and_of_an_older_one_too():
    newer = {"mode": "force_ocr", "pages": "2-", "added_by_the_next_release": [1, {"a": 2}]}
    sealed = SEAL.seal(json.dumps(newer).encode())
    assert opened_options(SEAL, sealed) == ExtractOptions(mode=Mode.FORCE_OCR, pages="2-")
    # What is at its default is not written, so an older version finds nothing that it lacks.
    older = json.loads(SEAL.open(sealed_options(SEAL, ExtractOptions(pages="2-"))))
    assert older == {"pages": "2-"}


def test_the_protocol_of_engine_machines_is_held_to_the_last_release():
    released = descriptor_pb2.FileDescriptorSet.FromString((PROTOS / "released.binpb").read_bytes())
    packages = {file.package for file in released.file}
    assert {"ocr_grpc.v1", "ocr_grpc.internal.v1"} <= packages
