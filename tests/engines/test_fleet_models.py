"""Machines whose models differ, and those that are full: which read, and what is told of them."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_grpc.engines.link import Link
from ocr_grpc.settings import Settings
from ocr_grpc.wiring.errors import CannotServe
from ocr_grpc.wiring.workers import fleet_settings
from tests.engines.machines import page, pool, read, read_at_last, until
from tests.engines.scripted_machine import ScriptedMachine, serving


async def test_a_machine_with_another_model_is_not_used_however_early_it_comes(folder):
    async with (
        serving(ScriptedMachine(model_version="2")) as other,
        pool(folder, other.port, local=1) as server,
    ):
        await until(lambda: server.troubles)
        assert "its model is null 2, ours null 1" in server.troubles[0]
        assert len(await read_at_last(server, page(folder))) == 5
        assert not other.pages


async def test_a_fleet_that_is_upgraded_as_a_whole_is_used_again(folder):
    async with serving(ScriptedMachine()) as there, pool(folder, there.port) as server:
        assert server.description.model_version == "1"
        there.model_version = "2"
        there.end_connections()
        await until(lambda: server.description.model_version == "2" and server.ready_workers)
        await read_at_last(server, page(folder))
        assert there.pages == 1


async def test_the_machines_that_are_there_have_one_model(folder):
    async with (
        serving(ScriptedMachine()) as old,
        serving(ScriptedMachine(model_version="2")) as new,
        pool(folder, old.port, new.port) as server,
    ):
        await until(lambda: server.troubles)
        assert server.ready_workers == 1


async def test_a_page_tells_the_engine_of_the_very_machine_that_read_it(folder):
    async with (
        serving(ScriptedMachine(precision="f32")) as one,
        serving(ScriptedMachine(precision="bf16")) as other,
        pool(folder, one.port, other.port) as server,
    ):
        told = set()
        while told != {"f32", "bf16"}:
            (times,) = await read_at_last(server, page(folder))
            told.add(times.engine.precision)


async def test_a_machine_that_is_full_for_long_is_waited_for(folder):
    async with (
        serving(ScriptedMachine(refusals=4)) as there,
        pool(folder, there.port) as server,
    ):
        # Longer than the page may take once it began: it waits at no fault of its own.
        await read(server, page(folder, timeout_seconds=0.01))
        assert not there.refusals


async def test_a_connection_that_fails_in_a_new_way_is_told_and_tried_again(folder):
    async with (
        serving(ScriptedMachine()) as there,
        pool(folder, there.port, link=Link(tls=False, token="no header\n"), start=False) as server,
    ):
        await until(lambda: server.troubles)
        assert "unexpected" in server.troubles[0]


async def test_a_name_that_nobody_knows_is_among_the_troubles(folder, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "failed")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    async with pool(folder, 7, host="gone.example.com", start=False) as server:
        await until(lambda: server.troubles)
        assert "gone.example.com:7" in server.troubles[0]


async def test_a_page_that_can_have_no_turn_takes_none(folder):
    async with serving(ScriptedMachine()) as there, pool(folder, there.port) as server:
        with pytest.raises(ValueError):
            await read(server, replace(page(folder), weight=0))
        await read_at_last(server, page(folder))
        assert there.pages == 1


@pytest.mark.parametrize("file", ["engine_ca_file", "engine_cert_file"])
def test_plain_text_and_certificates_exclude_each_other(file):
    values = {"engine_endpoints": "there:1", file: Path("some.pem")}
    if file == "engine_cert_file":
        values["engine_key_file"] = Path("key.pem")
    assert fleet_settings(Settings(_env_file=None, **values))
    with pytest.raises(CannotServe, match="ENGINE_TLS=false"):
        fleet_settings(Settings(_env_file=None, engine_tls=False, **values))
