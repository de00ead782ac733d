"""The tokens that `ocr-grpc login` keeps, one session for each server, in a file of the user's."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ocr_grpc.commands.failure import CommandFailed

LOCK_SECONDS = 45.0
"""What a command waits for another one that refreshes a token; longer than one call takes."""

RETRY_SECONDS = 0.05


@dataclass(frozen=True)
class Session:
    """What a login gave.

    Attributes:
        expire_time: when the access token expires, in seconds since 1970 by this machine's clock.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expire_time: float
    user_name: str


class SessionFile:
    """The file; it is made when there is something to keep. Readable by its owner only."""

    def __init__(self, folder: Path | None) -> None:
        """Take the folder it is in; None if the user has none."""
        self._folder = folder

    def get(self, target: str) -> Session | None:
        """Return the session at a server, if there is one.

        Raises:
            CommandFailed: the file cannot be read.
        """
        entry = self._read().get(target)
        if entry is None:
            return None
        try:
            return Session(
                str(entry["access_token"]),
                str(entry["refresh_token"]),
                float(entry["expire_time"]),
                str(entry["user_name"]),
            )
        except (KeyError, TypeError, ValueError):
            raise self._unreadable() from None

    def put(self, target: str, session: Session | None) -> None:
        """Keep a session, or forget it (None). Only under `locked`.

        Raises:
            CommandFailed: the file cannot be written.
        """
        entries = self._read()
        if session:
            entries[target] = asdict(session)
        elif entries.pop(target, None) is None:
            return
        try:
            self._write(entries)
        except OSError as error:
            raise self._failed(error) from None

    @contextmanager
    def locked(self) -> Generator[None, None, None]:
        """Keep other commands from changing the file. Blocks.

        Raises:
            CommandFailed: another command does not let go of it.
        """
        try:
            lock = os.open(self._made_folder() / "credentials.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failed(error) from None
        try:
            self._wait_for(lock)
            yield
        finally:
            os.close(lock)

    def _wait_for(self, lock: int) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CommandFailed(
                        f"Another ocr-grpc holds the lock in {self._folder}."
                    ) from None
                time.sleep(RETRY_SECONDS)
            else:
                return

    def _read(self) -> dict[str, dict[str, Any]]:
        if self._folder is None:
            return {}
        try:
            entries = json.loads((self._folder / "credentials.json").read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._failed(error) from None
        except ValueError:
            raise self._unreadable() from None
        if not isinstance(entries, dict):
            raise self._unreadable()
        return entries  # pyright: ignore[reportUnknownVariableType] - `get` looks at what it takes

    def _write(self, entries: dict[str, dict[str, Any]]) -> None:
        folder = self._made_folder()
        handle, name = tempfile.mkstemp(dir=folder)  # 0600 from the start
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(entries, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(folder / "credentials.json")
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def _made_folder(self) -> Path:
        if self._folder is None:
            raise CommandFailed("There is no home folder for tokens. Set XDG_CONFIG_HOME.")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.chmod(0o700)
        return self._folder

    def _failed(self, error: OSError) -> CommandFailed:
        return CommandFailed(f"{self._folder}: {error.strerror}.")

    def _unreadable(self) -> CommandFailed:
        path = self._folder and self._folder / "credentials.json"
        return CommandFailed(f"{path} cannot be understood. Remove it and log in again.")
