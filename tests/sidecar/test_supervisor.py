"""Envoy as a process: started, watched, started again, and let go."""

import asyncio
import os
import signal
import time

import httpx
import psutil
import pytest

from ocr_grpc.cores import cores
from ocr_grpc.rpc.access import SERVICES
from ocr_grpc.sidecar.envoy import find_envoy
from ocr_grpc.sidecar.errors import SidecarFailed, SidecarUnavailable
from ocr_grpc.sidecar.supervisor import Sidecar, SidecarFiles
from tests.sidecar.calls import reason
from tests.sidecar.envoys import plan_in, sidecar


async def asked(port: int, path: str = "/health") -> int:
    """Return the code of an answer; nobody is behind these sidecars."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://127.0.0.1:{port}{path}")).status_code


async def back_after(envoy: Sidecar, was: int, seconds: float) -> float:
    """Return the seconds until another process answers on the same port."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while True:
            await asyncio.sleep(0.01)
            try:
                if await asked(envoy.port) == 503 and envoy.pid != was:
                    return time.monotonic() - began
            except httpx.TransportError:
                pass


async def test_it_listens_on_a_free_port_and_is_gone_when_stopped():
    changes = []
    async with sidecar(on_change=changes.append) as envoy:
        assert envoy.port
        assert await asked(envoy.port) == 503
        process = psutil.Process(envoy.pid)
        assert set(process.environ()) <= {"LC_CTYPE"}  # no secret of the server's is handed on
        await envoy.drain()
        await envoy.stop()
        assert envoy.pid is None
        assert not process.is_running()
    assert changes[0] is True


async def test_with_nobody_behind_it_it_says_so_as_all_errors_are_said():
    async with sidecar() as envoy, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{envoy.port}/v1/ocr/capabilities")
        assert (answer.status_code, reason(answer)) == (503, "SERVICE_UNAVAILABLE")
        health = await client.get(f"http://127.0.0.1:{envoy.port}/health")
        assert (health.status_code, health.json()) == (503, {"status": "NOT_SERVING"})


async def test_one_that_is_killed_is_back_within_two_seconds_however_often():
    changes = []
    async with sidecar(on_change=changes.append) as envoy:
        for _ in range(6):
            was = envoy.pid
            os.kill(was, signal.SIGKILL)
            assert await back_after(envoy, was, 60) < 20
    assert changes[:5] == [True, False, True, False, True]


async def test_one_that_dies_as_soon_as_it_is_up_is_not_started_without_end():
    up: list[float] = []
    armed: list[bool] = []

    def kill(is_up: bool) -> None:
        if is_up and envoy.is_up:
            up.append(time.monotonic())
            os.kill(envoy.pid, signal.SIGKILL)

    async with sidecar(on_change=lambda is_up: armed and kill(is_up)) as envoy:
        armed.append(True)
        os.kill(envoy.pid, signal.SIGKILL)
        await asyncio.sleep(2)
        armed.clear()
    assert len(up) >= 2
    assert len(up) <= 11


async def test_a_long_answer_does_not_keep_all_its_threads():
    async with sidecar() as envoy:
        arguments = psutil.Process(envoy.pid).cmdline()
        assert arguments[arguments.index("--concurrency") + 1] == str(min(2, cores()))


async def test_one_that_hangs_is_replaced():
    async with sidecar() as envoy:
        was = envoy.pid
        os.kill(was, signal.SIGSTOP)
        assert await back_after(envoy, was, 60) < 30
        assert not psutil.pid_exists(was)


async def test_one_that_drains_takes_calls_and_asks_to_connect_anew():
    async with sidecar() as envoy, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{envoy.port}/v1/nowhere"
        assert "connection" not in (await client.get(url)).headers
        await envoy.drain()
        answer = await client.get(url)
        assert (answer.status_code, answer.headers["connection"]) == (404, "close")


async def test_a_port_that_is_taken_meanwhile_is_not_shared():
    async with sidecar() as first:
        with pytest.raises(SidecarFailed, match="Address already in use"):
            async with sidecar(port=first.port):
                pass


async def test_a_configuration_that_envoy_refuses_is_told_in_its_words(tmp_path):
    plan = plan_in(tmp_path)
    plan.descriptors.write_bytes(b"no descriptors")
    broken = Sidecar(plan, SERVICES, SidecarFiles(find_envoy(None), tmp_path, 1))
    with pytest.raises(SidecarFailed, match="descriptor"):
        await broken.start()
    assert broken.pid is None


async def test_a_sidecar_without_administration_is_refused(tmp_path):
    plan = plan_in(tmp_path, admin_socket=None)
    with pytest.raises(ValueError, match="administration"):
        Sidecar(plan, SERVICES, SidecarFiles(find_envoy(None), tmp_path, 1))


def test_a_program_that_cannot_be_run_is_named(tmp_path):
    file = tmp_path / "envoy"
    file.write_text("no program")
    with pytest.raises(SidecarUnavailable, match=f"ENVOY_BINARY: {file}"):
        find_envoy(file)
    assert os.access(find_envoy(None), os.X_OK)
