"""What happens to readers: they crash, hang, run out of memory, or nobody wants their answer."""

import asyncio
import functools
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ocr_grpc.documents import errors, layers
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.pool import DocumentPool
from tests.documents.samples import encoded, endless_pdf, paper, png_bomb, prose_pdf, until, written

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

ENTER = f"sandbox.enter(sandbox.Family.PAGES, sandbox.SandboxLimits(10**9, 10**6), {os.getpid()}); "

NEEDS_FILTER = "The kernel accepts no seccomp filter here, or the processor is none we know."


@functools.cache
def filters_calls() -> bool:
    """Whether the kernel takes a filter at all: asked with one that allows everything."""
    program = (
        "import ctypes, struct, sys\n"
        "class Program(ctypes.Structure):\n"
        "    _fields_ = (('length', ctypes.c_ushort), ('instructions', ctypes.c_char_p))\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.prctl(38, 1, 0, 0, 0)\n"
        "allow = Program(1, struct.pack('=HBBI', 0x06, 0, 0, 0x7FFF0000))\n"
        "sys.exit(libc.prctl(22, 2, ctypes.byref(allow), 0, 0) != 0)\n"
    )
    known = platform.machine() in ("x86_64", "aarch64")
    return known and subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def computing(pid: int) -> bool:
    """Whether a process has used CPU time in the last moment."""
    before = psutil.Process(pid).cpu_times().user
    time.sleep(0.05)
    return psutil.Process(pid).cpu_times().user > before


def gone(pid: int) -> bool:
    """Whether a process has ended and was waited for: zombies still have a pid."""
    return not psutil.pid_exists(pid)


def spooled(file) -> list[Path]:
    return list((file(b"").parent / "spool").iterdir())


async def only_pid(documents: DocumentPool) -> int:
    (pid,) = documents.reader_pids(Family.PAGES)
    return pid


async def test_a_crash_costs_its_page_only(pool, file):
    documents = await pool()
    document = await documents.open(file(endless_pdf()))
    pid = await only_pid(documents)
    second = asyncio.create_task(document.render(2, 0))
    third = asyncio.create_task(document.render(3, 72))
    await until(lambda: documents.busy and computing(pid))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(errors.PageReaderCrashed) as crashed:
        await second
    assert crashed.value.metadata == {"page": "2"}
    assert (await third).geometry.width_px == 200
    await until(lambda: gone(pid))
    assert len(spooled(file)) == 1


async def test_a_page_that_never_ends_is_ended(pool, file):
    documents = await pool(page_seconds=0.5)
    document = await documents.open(file(endless_pdf()))
    pid = await only_pid(documents)
    began = time.monotonic()
    with pytest.raises(errors.PageReaderTimedOut):
        await document.text_layer(2, 0)
    assert time.monotonic() - began < 5
    assert (await document.text_layer(1, 0)).geometry.width_px > 0
    await until(lambda: gone(pid))


async def test_a_document_that_is_never_open_is_given_up(pool, file):
    documents = await pool(open_seconds=0)
    pid = await only_pid(documents)
    with pytest.raises(errors.ReaderTimedOut):
        await documents.open(file(prose_pdf(300)))
    await until(lambda: gone(pid))


async def test_a_page_that_needs_too_much_memory_fails_alone(pool, file):
    documents = await pool(reader_memory_bytes=400 * 1024 * 1024, max_page_pixels=10**9)
    document = await documents.open(file(png_bomb(30_000, 30_000)))
    pid = await only_pid(documents)
    with pytest.raises(errors.PageReaderOutOfMemory, match="memory"):
        await document.render(1, 0)
    await until(lambda: spooled(file) == [])
    other = await documents.open(file(encoded(paper())))
    assert (await other.render(1, 0)).geometry.width_px == 400
    await until(lambda: gone(pid))


async def test_a_cancelled_page_stops_within_a_second(pool, file):
    documents = await pool()
    document = await documents.open(file(endless_pdf()))
    pid = await only_pid(documents)
    rendering = asyncio.create_task(document.render(2, 0))
    await until(lambda: documents.busy and computing(pid))
    cancelled = time.monotonic()
    rendering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rendering
    await until(lambda: gone(pid) and documents.busy == 0)
    page = await document.render(1, 72)
    assert time.monotonic() - cancelled < 6
    assert spooled(file) == [page.path]


async def test_a_short_page_that_is_cancelled_costs_no_reader(pool, file):
    documents = await pool()
    document = await documents.open(file(prose_pdf(2)))
    pids = documents.reader_pids(Family.PAGES)
    for _ in range(5):
        call = asyncio.create_task(document.render(1, 100))
        await asyncio.sleep(0.002)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: documents.busy == 0)
    await until(lambda: spooled(file) == [])
    assert documents.reader_pids(Family.PAGES) == pids


async def test_a_call_cancelled_in_line_disturbs_nobody(pool, file):
    documents = await pool()
    document = await documents.open(file(prose_pdf(8)))
    pid = await only_pid(documents)
    calls = [asyncio.create_task(document.render(page, 72)) for page in range(1, 9)]
    await asyncio.sleep(0)
    for call in calls[1::2]:
        call.cancel()
    pages = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(page, asyncio.CancelledError) for page in pages) == 4
    assert await only_pid(documents) == pid
    assert len(spooled(file)) == 4


async def test_calls_cancelled_at_any_moment_leave_nothing_behind(pool, file):
    documents = await pool(readers=2)
    document = await documents.open(file(prose_pdf(3)))
    for moment in range(12):
        call = asyncio.create_task(document.render(1 + moment % 3, 100))
        await asyncio.sleep(moment * 0.004)
        call.cancel()
        page = (await asyncio.gather(call, return_exceptions=True))[0]
        if not isinstance(page, asyncio.CancelledError):
            page.path.unlink()
    await until(lambda: spooled(file) == [] and documents.busy == 0)
    assert (await document.text_layer(1, 0)).usable


async def test_closing_a_document_stops_its_calls(pool, file):
    documents = await pool()
    document = await documents.open(file(endless_pdf()))
    pid = await only_pid(documents)
    calls = [asyncio.create_task(document.render(page, 0)) for page in (2, 1, 3)]
    await until(lambda: documents.busy and computing(pid))
    await document.close()
    assert documents.busy == 0
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, errors.PageError)
    await until(lambda: gone(pid) and spooled(file) == [])


async def test_closing_the_pool_ends_everything(tmp_path: Path, file):
    from ocr_grpc.documents.limits import DocumentLimits

    documents = DocumentPool(tmp_path / "spool", DocumentLimits(), 2)
    await documents.start()
    pids = documents.reader_pids(Family.PAGES)
    document = await documents.open(file(endless_pdf()))
    call = asyncio.create_task(document.render(2, 0))
    await until(lambda: documents.busy)
    await documents.close()
    with pytest.raises(errors.PageError):
        await call
    assert all(gone(pid) for pid in pids)
    assert spooled(file) == []
    mine = psutil.Process().children(recursive=True)
    assert not [child for child in mine if child.status() == psutil.STATUS_ZOMBIE]


async def test_a_reader_is_replaced_after_its_leases(pool, file):
    documents = await pool(leases_per_reader=3)
    path, pids = file(written("x")), set[int]()
    for _ in range(7):
        document = await documents.open(path)
        await document.close()
        pids.update(documents.reader_pids(Family.PAGES))
    assert 2 <= len(pids) <= 4


@linux_only
async def test_a_reader_knows_nothing_and_can_do_little(pool, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "do-not-tell")
    documents = await pool()
    pid = await only_pid(documents)
    reader = psutil.Process(pid)
    assert set(reader.environ()) <= {"PATH", "LANG", "OPENBLAS_NUM_THREADS", "LC_CTYPE"}
    assert not any("do-not-tell" in word for word in reader.cmdline())
    assert reader.num_fds() <= 5
    assert os.getsid(pid) == pid
    assert is_gone(reader.cwd())
    assert reader.num_threads() == 1
    assert fact("NoNewPrivs", pid) == "1"
    for limit, value in (
        (psutil.RLIMIT_CORE, 0),
        (psutil.RLIMIT_NOFILE, 32),
        (psutil.RLIMIT_AS, 2 * 1024**3),
        (psutil.RLIMIT_FSIZE, 300_000_000),
    ):
        assert reader.rlimit(limit) == (value, value)
    if layers.NO_NETWORK in documents.layers()[Family.PAGES][0]:
        assert reader.rlimit(psutil.RLIMIT_NPROC) == (4, 4)


@linux_only
async def test_a_reader_has_no_network(pool):
    if not filters_calls():
        pytest.skip(NEEDS_FILTER)
    documents = await pool()
    assert fact("Seccomp", await only_pid(documents)) == "2"


@linux_only
@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import os; os.fork()",
        "import os; os.execv('/bin/true', ['true'])",
        "import os; os.kill(os.getppid(), 0)",
    ],
)
def test_what_the_filter_forbids_fails(attempt: str):
    if not filters_calls():
        pytest.skip(NEEDS_FILTER)
    assert_fails(attempt)


@linux_only
@pytest.mark.parametrize(
    "attempt",
    [
        "open('beside', 'w')",
        "open('/dev/null').read(); [open('/dev/null') for _ in range(99)]",
        "bytearray(2**31)",
    ],
)
def test_what_is_forbidden_fails(attempt: str):
    assert_fails(attempt)


def assert_fails(attempt: str) -> None:
    program = (
        f"import os; from ocr_grpc.documents import sandbox; {ENTER}"
        "import sys\n"
        f"try: {attempt}\n"
        "except (OSError, RuntimeError, MemoryError): sys.exit(7)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == 7, ended.stderr


@linux_only
def test_a_file_cannot_outgrow_its_limit(tmp_path: Path):
    program = (
        "from ocr_grpc.documents import sandbox; import os;"
        f"page = open({str(tmp_path / 'page')!r}, 'wb'); {ENTER}"
        "page.write(bytes(10**7))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"File too large" in ended.stderr
    assert (tmp_path / "page").stat().st_size == 10**6


async def test_readers_die_with_their_server(tmp_path: Path):
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from ocr_grpc.documents.limits import DocumentLimits\n"
        "from ocr_grpc.documents.pool import DocumentPool\n"
        "async def main():\n"
        "    pool = DocumentPool(Path(sys.argv[1]), DocumentLimits(), 2)\n"
        "    await pool.start()\n"
        "    print(*pool.reader_pids(), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path / "spool"), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    pids = [int(word) for word in (await server.stdout.readline()).split()]
    assert len(pids) == 3
    server.kill()
    await server.wait()
    await until(lambda: not any(psutil.pid_exists(pid) and alive(pid) for pid in pids))


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def fact(name: str, pid: int) -> str:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:"))


def is_gone(folder: str) -> bool:
    return not Path(folder).exists()
