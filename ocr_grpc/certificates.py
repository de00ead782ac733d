"""The certificate that the service shows, and its key: read, checked, followed when they change."""

import asyncio
import hashlib
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import structlog

log = structlog.get_logger()

MAX_FILE_BYTES = 1024 * 1024

LOOK_SECONDS = 0.5
"""How often the files are looked at. Their contents are compared, not their times: whoever replaces
them may keep the time, rename a link above them, or write in place, and they are small."""

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python does not name."""

AS_STRICT_AS_ENVOY = "DEFAULT:@SECLEVEL=2"
"""Refuses RSA keys under 2048 bits everywhere, and not only where the system's OpenSSL does: Envoy
would not serve with them."""

HANDSHAKE_STEPS = 10


class CertificateUnusable(Exception):
    """The files cannot be used; the message names the settings, and nothing of what they hold."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the certificate chain and its private key are, both in PEM."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its key that were seen to work together.

    Attributes:
        chain: the certificate and those that vouch for it, in PEM.
        key: the private key in PEM.
        names: the host names and addresses that it is for; may be empty.
        expire_time: when it expires, in seconds since 1970.
    """

    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    names: tuple[str, ...]
    expire_time: float


def read_key_pair(files: CertificateFiles) -> KeyPair:
    """Return the certificate and key that are in the files now. Blocks.

    Raises:
        CertificateUnusable: a file cannot be read, or the two do not work together.
    """
    chain, key = _contents(files)
    server = _server_context(files)
    # OpenSSL read the paths by itself. Only if these hold the same as before, it has judged our
    # bytes and not half of a pair that was being replaced.
    if _contents(files) != (chain, key):
        raise CertificateUnusable("TLS_CERT_FILE or TLS_KEY_FILE changes while it is read.")
    shown = _shown(server, files, chain)
    names = tuple(str(name) for _, name in shown.get("subjectAltName", ()))
    return KeyPair(chain, key, names, float(ssl.cert_time_to_seconds(shown["notAfter"])))


class CertificateWatch:
    """The pair in force, and those who are told when another takes its place."""

    def __init__(self, files: CertificateFiles) -> None:
        """Read the files. Blocks.

        Raises:
            CertificateUnusable: they cannot be used.
        """
        self._files = files
        self._seen = self._judged = _digest(files)
        self._followers: list[_Follower] = []
        self._task: asyncio.Task[None] | None = None
        self.current = read_key_pair(files)
        if self.current.expire_time < time.time():
            log.warning("certificate_expired", **_described(self.current))

    def follow(self, told: Callable[[KeyPair], None]) -> None:
        """Tell about the pair in force, now and after each change. It may block on files.

        Raises:
            OSError: of `told`, now. Later it is logged, and tried again.
        """
        told(self.current)
        self._followers.append(_Follower(told, self.current))

    def start(self) -> None:
        """Look at the files from now on."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Look no more. The pair in force stays."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self._look)

    def _look(self) -> None:
        seen = _digest(self._files)
        # Two looks must see the same: certificate and key are replaced one after the other.
        settled, self._seen = seen == self._seen, seen
        if settled and seen != self._judged:
            self._judged = seen
            self._judge()
        for follower in self._followers:
            follower.tell(self.current)

    def _judge(self) -> None:
        try:
            pair = read_key_pair(self._files)
            if pair.expire_time < time.time() < self.current.expire_time:
                raise CertificateUnusable("The certificate in TLS_CERT_FILE has expired.")
        except CertificateUnusable as error:
            log.error("certificate_refused", reason=str(error), kept=_described(self.current))
        else:
            self.current = pair
            log.info("certificate_taken", **_described(pair))


class _Follower:
    """Somebody who is told about each pair."""

    def __init__(self, told: Callable[[KeyPair], None], last: KeyPair) -> None:
        self._told = told
        self._last = last

    def tell(self, pair: KeyPair) -> None:
        """Tell about a pair, unless that was done. A failure is logged, for the next look."""
        if pair is self._last:
            return
        try:
            self._told(pair)
        except OSError as error:
            log.error("certificate_not_passed_on", reason=error.strerror)
        else:
            self._last = pair


def _described(pair: KeyPair) -> dict[str, Any]:
    return {"names": pair.names, "expires_in_days": round((pair.expire_time - time.time()) / 86400)}


def _digest(files: CertificateFiles) -> str:
    """Return what tells one state of the files from another."""
    try:
        chain, key = _contents(files)
    except CertificateUnusable as error:
        return str(error)
    return hashlib.sha256(chain + b"\0" + key).hexdigest()


def _contents(files: CertificateFiles) -> tuple[bytes, bytes]:
    return _content("TLS_CERT_FILE", files.chain), _content("TLS_KEY_FILE", files.key)


def _content(setting: str, path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for its other end
            raise CertificateUnusable(f"{setting}: {path} is no file.")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CertificateUnusable(f"{setting}: {path}: {error.strerror}.") from None
    if len(content) > MAX_FILE_BYTES:
        raise CertificateUnusable(f"{setting}: {path} is larger than any certificate or key.")
    return content


def _server_context(files: CertificateFiles) -> ssl.SSLContext:
    def no_password() -> NoReturn:  # without it, OpenSSL asks at the terminal
        raise CertificateUnusable(
            f"TLS_KEY_FILE: {files.key} is encrypted, and nobody could type its password at "
            "each start. Store it without one, readable by the service alone."
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(AS_STRICT_AS_ENVOY)
    try:
        context.load_cert_chain(files.chain, files.key, password=no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CertificateUnusable(
                f"TLS_KEY_FILE: {files.key} is not the key of the certificate in TLS_CERT_FILE, "
                f"{files.chain}. Its own certificate must come first there."
            ) from None
        raise CertificateUnusable(
            f"TLS_CERT_FILE, {files.chain}, must hold a certificate chain in PEM, and "
            f"TLS_KEY_FILE, {files.key}, its private key in PEM; of RSA, one with 2048 bits or "
            f"more ({error.reason or 'no PEM'})."
        ) from None
    except OSError as error:
        raise CertificateUnusable(
            f"TLS_CERT_FILE or TLS_KEY_FILE: {error.strerror}, at {files.chain} or {files.key}."
        ) from None
    return context


def _shown(server: ssl.SSLContext, files: CertificateFiles, chain: bytes) -> dict[str, Any]:
    """Return what a client sees of the certificate, in a handshake in memory.

    It is how the standard library tells what a certificate holds, and it shows that the pair really
    works: some kinds of keys load and then serve nobody.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    # The certificate is trusted for itself here: who vouches for it is for the callers to judge.
    partial = client.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN
    client.verify_flags = ssl.VerifyFlags(partial | NO_CHECK_TIME)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        client.load_verify_locations(cadata=chain.decode("ascii", "ignore"))
        ends = (
            client.wrap_bio(to_client, to_server),
            server.wrap_bio(to_server, to_client, server_side=True),
        )
        for step in range(HANDSHAKE_STEPS):
            with suppress(ssl.SSLWantReadError):
                ends[step % 2].do_handshake()
        shown: Any = ends[0].getpeercert()
    except (ssl.SSLError, ValueError) as error:
        raise CertificateUnusable(
            f"No client could connect with the certificate in TLS_CERT_FILE, {files.chain}, and "
            f"its key ({getattr(error, 'reason', 'the handshake does not end')})."
        ) from None
    return shown
