"""Which files a reader can reach, tried from inside its sandbox."""

import os
from pathlib import Path

import pytest

from ocr_grpc.documents import landlock
from ocr_grpc.documents.formats import Family
from tests.documents.inside import run_inside

pytestmark = pytest.mark.skipif(
    landlock.version() == 0, reason="This kernel has no Landlock, or does not let us use it."
)

both = pytest.mark.parametrize("family", Family)

OPEN_ALL = """
for path in arguments:
    attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder as the service keeps it."""
    folder = tmp_path / "data"
    (folder / "spool").mkdir(parents=True)
    (folder / "secret_key").write_text("secret")
    (folder / "ocr_grpc.db").write_text("accounts")
    (folder / "spool" / "0123.page").write_text("of somebody else")
    return folder


@both
def test_a_reader_can_open_no_file_of_the_service_or_the_system(family: Family, data_dir: Path):
    server = Path(f"/proc/{os.getpid()}")
    paths = [
        "/",
        "/etc",
        "/etc/passwd",
        "/tmp",
        "/proc",
        "/proc/self/environ",
        server / "environ",
        server / "mem",
        server / "maps",
        Path.home(),
        Path.cwd(),
        Path.cwd() / "pyproject.toml",
        data_dir,
        *data_dir.rglob("*"),
    ]
    outcomes = run_inside(family, OPEN_ALL, *paths)
    assert outcomes == {str(path): "PermissionError" for path in paths}


@both
def test_a_reader_can_write_no_file(family: Family, data_dir: Path):
    program = """
folder = arguments[0]
attempt("new", lambda: open(folder + "/new", "w"))
attempt("append", lambda: open(folder + "/secret_key", "a"))
attempt("truncate", lambda: os.truncate(folder + "/secret_key", 0))
attempt("remove", lambda: os.unlink(folder + "/secret_key"))
attempt("rename", lambda: os.rename(folder + "/secret_key", folder + "/moved"))
attempt("link", lambda: os.link(folder + "/secret_key", folder + "/linked"))
attempt("symlink", lambda: os.symlink("/etc/passwd", folder + "/linked"))
attempt("folder", lambda: os.mkdir(folder + "/made"))
attempt("pipe", lambda: os.mkfifo(folder + "/pipe"))
attempt("mode", lambda: os.chmod(folder + "/secret_key", 0o777))
attempt("owner", lambda: os.chown(folder + "/secret_key", os.getuid(), -1))
attempt("times", lambda: os.utime(folder + "/secret_key"))
attempt("attribute", lambda: os.setxattr(folder + "/secret_key", "user.x", b"x"))
attempt("here", lambda: open("beside", "w"))
attempt("package", lambda: open(sandbox.__file__, "a"))
"""
    outcomes = run_inside(family, program, data_dir)
    assert outcomes.pop("here") in ("PermissionError", "FileNotFoundError")
    assert set(outcomes.values()) == {"PermissionError"}, outcomes
    assert sorted(path.name for path in data_dir.iterdir()) == [
        "ocr_grpc.db",
        "secret_key",
        "spool",
    ]


@both
def test_modules_can_be_loaded_late(family: Family):
    program = """
import importlib
for name in ("xml.dom.minidom", "PIL.IcnsImagePlugin", "ocr_grpc.documents.spool", "sqlite3"):
    attempt(name, lambda: importlib.import_module(name))
attempt("null", lambda: subprocess.DEVNULL and open(os.devnull, "r+b").write(b"x"))
"""
    outcomes = run_inside(family, program)
    assert outcomes.pop("null") == 1
    assert set(outcomes.values()) == {"worked"}, outcomes


@both
def test_a_checkout_with_its_environment_inside_does_not_open_its_data_folder(
    family: Family, tmp_path: Path
):
    checkout = tmp_path / "checkout"
    site = checkout / ".venv" / "lib" / "python3" / "site-packages"
    site.mkdir(parents=True)
    (checkout / "data").mkdir()
    (checkout / ".env").write_text("SECRET_KEY=secret")
    # As an editable installation has it: the checkout itself is where modules are looked for.
    before = """
sys.prefix = arguments[0] + "/.venv"
sys.path += [arguments[0], sys.prefix + "/lib/python3/site-packages"]
"""
    outcomes = run_inside(
        family, OPEN_ALL, checkout, checkout / "data", checkout / ".env", site, before=before
    )
    assert outcomes.pop(str(site)) == []
    assert all(outcome == "PermissionError" for outcome in outcomes.values()), outcomes


def test_what_it_is_handed_open_it_can_use(tmp_path: Path):
    document, scratch = tmp_path / "document", tmp_path / "scratch"
    document.write_text("hello")
    with document.open("rb") as file, scratch.open("w+b") as kept:
        program = """
document, scratch = map(int, arguments)
attempt("read", lambda: os.read(document, 5).decode())
attempt("write", lambda: os.write(scratch, b"12345"))
attempt("shorten", lambda: os.ftruncate(scratch, 3))
attempt("back", lambda: os.pread(scratch, 9, 0).decode())
attempt("overwrite", lambda: os.write(document, b"x"))
attempt("again", lambda: open(f"/proc/self/fd/{document}"))
"""
        files = (file.fileno(), kept.fileno())
        outcomes = run_inside(Family.OFFICE, program, *files, pass_fds=files)
    assert outcomes == {
        "read": "hello",
        "write": 5,
        "shorten": "worked",
        "back": "123",
        "overwrite": "OSError",
        "again": "PermissionError",
    }
