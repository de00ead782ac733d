"""What a hijacked reader would try first, tried from inside its sandbox: nothing gets out."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ocr_grpc.documents import landlock
from ocr_grpc.documents.formats import Family
from tests.documents.inside import run_inside
from tests.documents.test_sandbox import NEEDS_FILTER, alive, filters_calls

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Nothing of this exists elsewhere."),
    pytest.mark.skipif(not filters_calls(), reason=NEEDS_FILTER),
]

both = pytest.mark.parametrize("family", Family)
needs_landlock = pytest.mark.skipif(
    landlock.version() == 0, reason="This kernel has no Landlock, or does not let us use it."
)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server on this machine, which nobody is to reach."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening
        with pytest.raises(BlockingIOError):
            listening.accept()


@both
def test_nothing_is_connected(family: Family, server: socket.socket, tmp_path: Path):
    program = """
port, path = int(arguments[0]), arguments[1]
attempt("tcp", lambda: socket.create_connection(("127.0.0.1", port), 1))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("ipv6", lambda: socket.socket(socket.AF_INET6))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect(path))
attempt("pair", socket.socketpair)
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("old tcp", lambda: kept.connect(("127.0.0.1", port)))
attempt("old udp", lambda: datagrams.sendto(b"x", ("127.0.0.1", port)))
attempt("listen", lambda: kept.listen())
"""
    before = """
kept, datagrams = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
"""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        port = server.getsockname()[1]
        outcomes = run_inside(family, program, port, tmp_path / "socket", before=before)
    assert set(outcomes.values()) == {"PermissionError"}, outcomes


@both
@needs_landlock
def test_no_program_is_run(family: Family):
    program = """
attempt("shell", lambda: subprocess.run(["/bin/sh", "-c", "true"]))
attempt("python", lambda: subprocess.run([sys.executable, "-c", ""]))
attempt("exec", lambda: os.execv("/bin/true", ["true"]))
attempt("by descriptor", lambda: os.execve(0, ["true"], {}))
"""
    outcomes = run_inside(family, program)
    assert set(outcomes.values()) == {"PermissionError"}, outcomes


@both
def test_no_other_process_is_troubled(family: Family):
    program = """
import resource
server = int(sys.argv[2])
attempt("signal", lambda: os.kill(server, 0))
attempt("signal to its group", lambda: os.killpg(os.getpgid(server), 0))
attempt("limits", lambda: resource.prlimit(server, resource.RLIMIT_CPU))
attempt("niceness", lambda: os.setpriority(os.PRIO_PROCESS, server, 19))
attempt("cores", lambda: os.sched_setaffinity(server, {0}))
attempt("new session", os.setsid)
attempt("new group", lambda: os.setpgid(0, 0))
"""
    outcomes = run_inside(family, program)
    assert set(outcomes.values()) == {"PermissionError"}, outcomes


@both
def test_every_call_of_the_list_is_refused(family: Family):
    program = """
import ctypes, errno, platform
from ocr_grpc.documents import system_calls
libc = ctypes.CDLL(None, use_errno=True)
column = {"x86_64": 0, "aarch64": 1}[platform.machine()]

def refused(number, *values):
    outcome = libc.syscall(number, *map(ctypes.c_long, values or (-1, -1, -1, -1, -1, -1)))
    return errno.errorcode[ctypes.get_errno()] if outcome == -1 else "worked"

for name, numbers in system_calls.ALWAYS_FORBIDDEN.items():
    if numbers[column] is not None:
        attempt(name, lambda: refused(numbers[column]))
attempt("a namespace", lambda: refused(system_calls.CLONE[column], 0x10000000 | 17, 0, 0, 0, 0))
attempt("a longer life", lambda: refused(system_calls.PRCTL[column], 1, 0, 0, 0, 0))
attempt("clone3", lambda: refused(system_calls.CLONE3[column]))
"""
    outcomes = run_inside(family, program)
    assert outcomes.pop("clone3") == "ENOSYS"
    assert set(outcomes.values()) == {"EPERM"}, outcomes


PANDOC = """
def pandoc(*options):
    ended = subprocess.run([str(programs[0]), *options], capture_output=True, input=b"*hi*")
    return ended.stdout.decode() if ended.returncode == 0 else "refused"
"""


@needs_landlock
def test_pandoc_is_run_and_reaches_nothing(server: socket.socket, tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    address = f"http://127.0.0.1:{server.getsockname()[1]}/"
    program = f"""{PANDOC}
url, folder = arguments
attempt("reads", lambda: pandoc("-f", "markdown", "-t", "plain"))
attempt("a file", lambda: pandoc("-f", "markdown", "-t", "plain", "/etc/passwd"))
attempt("a secret", lambda: pandoc("-f", "markdown", "-t", "plain", folder + "/secret"))
attempt("an address", lambda: pandoc("-f", "html", "-t", "plain", url))
attempt("a file to write", lambda: pandoc("-o", folder + "/written"))
attempt("a program", lambda: pandoc("--filter", "/bin/true", "-t", "plain"))
attempt("a template", lambda: pandoc("-t", "plain", "--template", folder + "/secret"))
"""
    outcomes = run_inside(Family.OFFICE, program, address, tmp_path)
    assert outcomes.pop("reads") == "hi\n"
    assert set(outcomes.values()) == {"refused"}, outcomes
    assert not (tmp_path / "written").exists()


@needs_landlock
def test_pandoc_can_be_stopped_by_its_reader_alone():
    program = """
pandoc = subprocess.Popen([programs[0]], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
attempt("stop", lambda: (pandoc.kill(), pandoc.wait())[1])
"""
    if not landlock.confines_signals():
        pytest.skip("Without it a reader may signal nobody, not even what it started.")
    assert run_inside(Family.OFFICE, program) == {"stop": -9}


@needs_landlock
def test_pandoc_ends_with_its_reader():
    program = """
from functools import partial
from ocr_grpc.processes import die_with_parent
bound = partial(die_with_parent, os.getpid())
pandoc = subprocess.Popen([programs[0]], stdout=subprocess.DEVNULL, preexec_fn=bound)
attempt("pid", lambda: pandoc.pid)
"""
    # Its input does not end before this test does.
    reading, writing = os.pipe()
    try:
        pid = run_inside(Family.OFFICE, program, stdin=reading)["pid"]
        assert isinstance(pid, int)
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=30)
        assert not alive(pid)
    finally:
        os.close(reading)
        os.close(writing)


def test_processes_without_end_come_to_an_end():
    program = """
def fork_without_end():
    children = []
    until, parent = os.pipe()
    try:
        for _ in range(100):
            pid = os.fork()
            if pid == 0:
                os.close(parent)
                os.read(until, 1)
                os._exit(0)
            children.append(pid)
    except BlockingIOError:
        pass
    os.close(parent)
    return [os.waitpid(child, 0)[1] for child in children]

attempt("alone", lambda: "no-network" in layers and "alone" or "counted with others")
attempt("forks", fork_without_end)
"""
    # Root's processes are not counted.
    before = """
if os.getuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
"""
    outcomes = run_inside(Family.OFFICE, program, before=before)
    if outcomes["alone"] != "alone":
        pytest.skip("The system lets nobody have a namespace of his own.")
    assert 1 <= len(outcomes["forks"]) < 16
