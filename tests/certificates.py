"""Makes certificates for tests, with the program `openssl`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Vouches for certificates; its own is in `certificate`."""

    def __init__(self, folder: Path) -> None:
        if not shutil.which("openssl"):
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
                "The program `openssl` is not installed; it makes certificates for tests."
            )
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / "authority.pem"
        self._key = folder / "authority.key"
        _openssl("req", "-x509", *EC, "-subj", "/CN=Tests", "-days", "30", *self._to("authority"))

    def issue(self, name: str, *hosts: str, days: int = 30) -> tuple[Path, Path]:
        """Return the files of a certificate for some hosts, and of its key."""
        extensions = self._folder / f"{name}.ext"
        names = ",".join(f"{'IP' if host[0].isdigit() else 'DNS'}:{host}" for host in hosts)
        extensions.write_text(f"basicConstraints=CA:FALSE\nsubjectAltName={names}\n")
        key, request = self._folder / f"{name}.key", self._folder / f"{name}.csr"
        _openssl("req", *EC, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        certificate = self._folder / f"{name}.pem"
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key),
            *("-CAcreateserial", "-days", days, "-extfile", extensions, "-out", certificate),
        )
        return certificate, key

    def self_signed(self, name: str, *arguments: str) -> tuple[Path, Path]:
        """Return the files of a certificate that nobody else vouches for."""
        _openssl("req", "-x509", "-subj", f"/CN={name}", *arguments, *self._to(name))
        return self._folder / f"{name}.pem", self._folder / f"{name}.key"

    def expired(self, name: str) -> tuple[Path, Path]:
        """Return the files of a certificate that expired in February 2020."""
        (self._folder / "serial").write_text("01\n")
        (self._folder / "index").write_text("")
        (self._folder / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
        )
        _openssl(
            *("req", *EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr"),
            folder=self._folder,
        )
        _openssl(
            *("ca", "-config", "ca.conf", "-selfsign", "-keyfile", f"{name}.key", "-batch"),
            *("-in", f"{name}.csr", "-out", f"{name}.pem", "-notext"),
            *("-startdate", "200101000000Z", "-enddate", "200201000000Z"),
            folder=self._folder,
        )
        return self._folder / f"{name}.pem", self._folder / f"{name}.key"

    def encrypted(self, key: Path) -> Path:
        """Return a copy of a key under a password."""
        copy = key.with_suffix(".encrypted")
        _openssl("pkey", "-in", key, "-aes128", "-passout", "pass:secret", "-out", copy)
        return copy

    def _to(self, name: str) -> tuple[str | Path, ...]:
        return "-keyout", self._folder / f"{name}.key", "-out", self._folder / f"{name}.pem"


def _openssl(*arguments: object, folder: Path | None = None) -> None:
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
