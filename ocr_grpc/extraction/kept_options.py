"""Options of an extraction as the database keeps them: sealed, for a password may be in them."""

import json

from pydantic import TypeAdapter

from ocr_grpc.extraction.options import ExtractOptions
from ocr_grpc.store.sealing import Seal

_options = TypeAdapter(ExtractOptions)


def sealed_options(seal: Seal, options: ExtractOptions) -> bytes:
    """Return options for a column; those that are as by default are left out."""
    return seal.seal(_options.dump_json(options, exclude_defaults=True))


def opened_options(seal: Seal, sealed: bytes) -> ExtractOptions:
    """Return options from a column. What a newer release wrote and this one lacks is left out.

    Raises:
        SealBroken: they were sealed with another secret.
    """
    return _options.validate_json(seal.open(sealed))


def without_password(seal: Seal, sealed: bytes) -> bytes:
    """Return options for a column, all but the password, those that only a newer release knows too.

    Raises:
        SealBroken: they were sealed with another secret.
    """
    values = json.loads(seal.open(sealed))
    values.pop("password", None)
    return seal.seal(json.dumps(values).encode())
