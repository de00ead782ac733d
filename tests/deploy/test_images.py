"""The image: what goes into it, and that it runs without privileges on a read-only file system.

No container engine runs here. What the Dockerfile installs is installed the same way, and run by
bubblewrap as another user, with a root that cannot be written, as containers are.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from docx import Document
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from reportlab.pdfgen.canvas import Canvas

from tests.clients.programs import require
from tests.clients.stage import ROOT
from tests.support import encoded, picture

DOCKERFILE = (ROOT / "Dockerfile").read_text()
BIN = Path(sys.executable).parent
UV = str(BIN / "uv")
USER = 10001


def pinned(path: Path) -> dict[str, str]:
    """Return the packages of a lock file, each with its versions and hashes."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    found: dict[str, str] = {}
    for line in filter(None, text.splitlines()):
        name = re.split(r"[=<>; @]", line, maxsplit=1)[0]
        version = line.removeprefix(name).split()[0]
        hashes = sorted(word for word in line.split() if word.startswith("--hash="))
        found[f"{name}{version}"] = " ".join(hashes)
    return found


def needed(name: str, extras: set[str], seen: set[str]) -> set[str]:
    """Return what an installed package asks for on this machine, and what that asks for."""
    seen.add(canonicalize_name(name))
    for text in requires(name) or ():
        asked = Requirement(text)
        marker = asked.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in ({""} | extras)):
            continue
        if canonicalize_name(asked.name) not in seen:
            needed(asked.name, set(asked.extras), seen)
    return seen


@pytest.mark.parametrize("name", ["requirements.lock", "build-requirements.lock"])
def test_images_are_made_of_the_versions_that_are_tested(name):
    tested = pinned(ROOT / "requirements.lock")
    alone = {"uv", "tomlkit"} if name.startswith("build") else set()
    for package, hashes in pinned(ROOT / "deploy" / name).items():
        if package.partition("==")[0] not in alone:
            assert tested.get(package) == hashes, f"`make lock` renews {name}: {package}"


def test_an_image_has_what_the_service_needs_and_no_more():
    inside = {package.partition("==")[0] for package in pinned(ROOT / "deploy/requirements.lock")}
    wanted = needed("ocr-grpc", {"traces"}, set()) - {"ocr-grpc"}
    assert wanted <= inside
    assert not inside & {"pytest", "ruff", "pyright", "playwright", "grpcio-tools", "hatchling"}


@pytest.mark.parametrize("name", ["requirements.lock", "build-requirements.lock"])
def test_locks_name_no_place_to_fetch_from(name):
    assert "://" not in (ROOT / "deploy" / name).read_text()


def test_one_uv_locks_installs_and_builds():
    (version,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.M)
    assert f"uv=={version}" in pinned(ROOT / "deploy/build-requirements.lock")


def test_hadolint_finds_nothing_in_the_dockerfile():
    done = subprocess.run(
        [str(BIN / "hadolint"), str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_containers_run_as_a_user_without_a_name_and_have_a_health_check():
    assert re.search(rf"^USER {USER}:{USER}$", DOCKERFILE, re.M)
    assert DOCKERFILE.rindex("USER ") > DOCKERFILE.rindex("FROM ")
    assert re.search(r'CMD \["ocr-grpc", "health"\]', DOCKERFILE)
    assert "STOPSIGNAL SIGTERM" in DOCKERFILE


def test_only_what_the_dockerfile_copies_is_sent_to_the_builder():
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    allowed = {line[1:] for line in rest if line.startswith("!")}
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M)
        for word in line.split()[:-1]
    }
    assert copied <= allowed
    assert allowed - copied == {"deploy"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What the image has in /opt/ocr-grpc, made as the Dockerfile makes it."""
    folder = tmp_path_factory.mktemp("image")
    environment = folder / "ocr-grpc"
    python = str(environment / "bin/python")
    wheel = folder / "wheel"
    quiet, into = [UV, "--quiet"], ["pip", "install", "--python", python]
    apart = ["--offline", "--wheel", "--no-build-isolation"]
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(environment)],
        [*quiet, *into, "--require-hashes", "-r", str(ROOT / "deploy/requirements.lock")],
        [str(ROOT / "deploy/slim"), str(environment)],
        [*quiet, "build", *apart, "--out-dir", str(wheel), str(ROOT)],
        [*quiet, *into, "--offline", "--no-deps"],
    ):
        whole = [*command, *map(str, wheel.glob("*.whl"))] if "--no-deps" in command else command
        done = subprocess.run(
            whole,
            env={**os.environ, "VIRTUAL_ENV": sys.prefix},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return environment


SCRIPT = """
set -eu
for place in / "$HERE" "$SITE"; do
  if touch "$place/written" 2>/dev/null; then echo "$place can be written"; exit 1; fi
done
test "$(id -u)" = 10001
ocr-grpc serve >/dev/null 2>/tmp/log & server=$!
until ocr-grpc health >/dev/null 2>&1; do
  kill -0 $server || { cat /tmp/log; exit 1; }
done
ocr-grpc health --url http://127.0.0.1:8080/health >/dev/null
for file in "$DOCUMENTS"/*; do
  echo "== ${file##*/}"
  ocr-grpc extract --mode auto "$file"
done
echo "== layers"
python -c 'import httpx; print(httpx.get("http://127.0.0.1:9090/metrics").text)' |
  grep ^ocr_sandbox_layer
kill -TERM $server
wait $server
"""


def said() -> dict[str, str]:
    """Return the environment that the Dockerfile gives to containers."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    (lines,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", last, re.M)
    return dict(word.split("=", 1) for word in lines.replace("\\\n", " ").split())


def documents(folder: Path) -> Path:
    folder.mkdir()
    (folder / "image.png").write_bytes(encoded(picture(["Hello image"])))
    canvas = Canvas(str(folder / "written.pdf"))
    canvas.drawString(60, 700, "A layer of text in a document, long enough to be one.")
    canvas.save()
    word = Document()
    word.add_paragraph("Hello from Word")
    word.save(str(folder / "word.docx"))
    return folder


def test_it_reads_documents_as_nobody_on_a_read_only_file_system(installed, tmp_path):
    require("bwrap")
    data, papers = tmp_path / "data", documents(tmp_path / "papers")
    data.mkdir(mode=0o700)
    # Python and tests may lie in folders that are nobody else's: of these only they are seen again.
    hidden = [Path("/tmp"), Path.home()]
    seen = [Path(sys.base_prefix), installed, papers]
    fenced = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    fenced += ["--perms", "1777", "--tmpfs", "/tmp", "--tmpfs", str(Path.home())]
    for path in (*seen, data):
        for parent in reversed(path.parents):
            if any(parent.is_relative_to(each) and parent != each for each in hidden):
                fenced += ["--perms", "0755", "--dir", str(parent)]
    fenced += [word for path in seen for word in ("--ro-bind", str(path), str(path))]
    fenced += ["--bind", str(data), str(data), "--chdir", str(data), "--die-with-parent"]
    fenced += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    if os.getuid() == 0:
        require("setpriv")
        shutil.chown(data, USER, USER)
        fenced += ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        fenced += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    else:
        fenced += ["--unshare-user", "--uid", str(USER), "--gid", str(USER)]
    settings = {name: value.replace("/data", str(data)) for name, value in said().items()}
    settings |= {"BCRYPT_COST": "4", "ENGINE_WORKERS": "1"}
    settings |= {"READERS": "1", "OFFICE_READERS": "1", "TESSERACT_WORKERS": "0"}
    settings |= {"SHUTDOWN_GRACE_SECONDS": "2", "PATH": f"{installed}/bin:/usr/bin:/bin"}
    # Not compiled beforehand as in the image, which takes a minute; each process would do it anew.
    settings |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": "/tmp/compiled"}
    here = {"HERE": str(ROOT), "SITE": str(installed), "DOCUMENTS": str(papers)}
    done = subprocess.run(
        [*fenced, "sh", "-c", SCRIPT],
        env=settings | here,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = dict(part.partition("\n")[::2] for part in done.stdout.split("== ")[1:])
    assert "Hello image" in parts["image.png"]
    assert "A layer of text" in parts["written.pdf"]
    assert "Hello from Word" in parts["word.docx"]
    layers = [line for line in parts["layers"].splitlines() if line]
    assert len(layers) == 16, "eight layers of two families"
    assert [line for line in layers if not line.endswith(" 1.0")] == []
