"""Files with a secret in them: readable by their owner alone, and there whole or not at all."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_secret(path: Path, secret: str, replace: bool = True) -> None:
    """Write a secret to a file, durably. Blocks.

    Args:
        path: where; folders that are missing are made.
        secret: one line.
        replace: whether it takes the place of a file that is there; else that one stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
