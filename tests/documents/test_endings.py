"""Why readers are replaced, and what metrics are told of it and of their sandboxes."""

import asyncio
import os
import platform
import signal
import subprocess
import sys

import psutil
import pytest

from ocr_grpc.documents import errors, landlock
from ocr_grpc.documents.formats import Family
from ocr_grpc.documents.layers import LANDLOCK, LAYERS, NO_NETWORK, SECCOMP
from ocr_grpc.telemetry.metrics import Metrics
from tests.documents.samples import encoded, endless_pdf, paper, png_bomb, prose_pdf, until, written
from tests.documents.test_sandbox import computing, filters_calls


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def ended(metrics: Metrics, family: str = "pages") -> dict[str, float]:
    (counted,) = metrics.readers_ended.collect()
    return {
        sample.labels["reason"]: sample.value
        for sample in counted.samples
        if sample.name.endswith("_total") and sample.labels["family"] == family
    }


def killed(metrics: Metrics, family: str = "pages") -> dict[str, float]:
    """Return what kills of the sandbox are counted, those of 0 aside."""
    (counted,) = metrics.sandbox_kills.collect()
    return {
        sample.labels["reason"]: sample.value
        for sample in counted.samples
        if sample.name.endswith("_total") and sample.labels["family"] == family and sample.value
    }


async def test_a_page_that_takes_too_long_is_counted_as_that(pool, file, metrics: Metrics):
    documents = await pool(watch=metrics, page_seconds=0.5)
    document = await documents.open(file(endless_pdf()))
    with pytest.raises(errors.PageReaderTimedOut):
        await document.render(2, 0)
    assert ended(metrics) == {"timed_out": 1}
    assert killed(metrics) == {"time": 1}


async def test_a_page_that_takes_too_much_memory_is_counted_as_that(pool, file, metrics: Metrics):
    documents = await pool(
        watch=metrics, reader_memory_bytes=400 * 1024 * 1024, max_page_pixels=10**9
    )
    document = await documents.open(file(png_bomb(30_000, 30_000)))
    with pytest.raises(errors.PageReaderOutOfMemory):
        await document.render(1, 0)
    assert ended(metrics) == {"memory": 1}
    assert killed(metrics) == {"memory": 1}


async def test_every_reader_that_ends_is_counted_once(pool, file, metrics: Metrics):
    documents = await pool(watch=metrics)
    document = await documents.open(file(endless_pdf()))
    call = asyncio.create_task(document.render(2, 0))
    await until(lambda: documents.busy)
    await asyncio.sleep(0.1)
    call.cancel()
    await until(lambda: documents.busy == 0)
    assert ended(metrics) == {"cancelled": 1}

    await document.text_layer(1, 72)
    (pid,) = documents.reader_pids(Family.PAGES)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not psutil.pid_exists(pid))
    await until(lambda: not documents.reader_pids(Family.PAGES))
    await document.text_layer(1, 72)
    assert ended(metrics) == {"cancelled": 1, "crashed": 1}
    assert killed(metrics) == {"crashed": 1}

    await documents.close()
    assert ended(metrics) == {"cancelled": 1, "crashed": 1, "closed": 1}
    assert ended(metrics, "office") == {"closed": 1}
    assert killed(metrics) == {"crashed": 1}
    assert killed(metrics, "office") == {}
    value = metrics.registry.get_sample_value
    assert value("ocr_readers_started_total", {"family": "pages"}) == 3
    assert value("ocr_readers_started_total", {"family": "office"}) == 1


@pytest.mark.parametrize(
    ("sent", "reason"), [(signal.SIGSYS, "seccomp"), (signal.SIGSEGV, "crashed")]
)
async def test_a_reader_that_is_ended_over_a_page_is_counted_by_what_ended_it(
    pool, file, metrics: Metrics, sent: int, reason: str
):
    documents = await pool(watch=metrics)
    document = await documents.open(file(endless_pdf()))
    call = asyncio.create_task(document.render(2, 0))
    await until(lambda: documents.busy)
    (pid,) = documents.reader_pids(Family.PAGES)
    await until(lambda: computing(pid))
    os.kill(pid, sent)
    with pytest.raises(errors.PageReaderCrashed):
        await call
    assert killed(metrics) == {reason: 1}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the other numbers are those of x86")
def test_a_call_by_the_numbers_of_another_processor_ends_a_reader_as_that_is_counted():
    if not filters_calls():
        pytest.skip("this kernel takes no filter")
    program = (
        "import ctypes, mmap\n"
        "from ocr_grpc.documents import seccomp\n"
        "from ocr_grpc.documents.formats import Family\n"
        "ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)\n"
        "code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
        "code.write(bytes.fromhex('b814000000cd80c3'))\n"  # getpid, as programs of 32 bits ask
        "at = ctypes.addressof(ctypes.c_char.from_buffer(code))\n"
        "assert seccomp.forbid(Family.PAGES, may_signal=False)\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(at)()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGSYS


async def test_readers_of_text_serve_a_quarter_of_the_documents(pool, file, metrics: Metrics):
    documents = await pool(watch=metrics, leases_per_reader=8)
    for content in (written("x"), b"# Title"):
        for _ in range(4):
            await (await documents.open(file(content))).close()
    assert ended(metrics) == {}
    assert ended(metrics, "office") == {"recycled": 2}


async def test_a_refusal_costs_no_reader(pool, file, metrics: Metrics):
    documents = await pool(watch=metrics, max_pages=3)
    for content in (b"%PDF-1.7 damaged", prose_pdf(4), encoded(paper())[:30], b"PK\3\4 damaged"):
        with pytest.raises(errors.DocumentError):
            await documents.open(file(content))
    assert ended(metrics) == ended(metrics, "office") == {}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have fewer layers")
@pytest.mark.parametrize("family", Family)
async def test_the_layers_in_force_are_known(pool, metrics: Metrics, family: Family):
    documents = await pool(watch=metrics)
    (in_force,) = documents.layers()[family]
    doubtful = {NO_NETWORK}
    doubtful |= set() if landlock.version() else {LANDLOCK}
    doubtful |= set() if filters_calls() else {SECCOMP}
    assert set(LAYERS) - doubtful <= set(in_force) <= set(LAYERS)
    for layer in LAYERS:
        labels = {"family": family.value, "layer": layer}
        value = metrics.registry.get_sample_value("ocr_sandbox_layer", labels)
        assert value == (layer in in_force)


async def test_a_slow_document_leaves_the_processor_to_others(pool, file, metrics: Metrics):
    documents = await pool(watch=metrics, page_seconds=2)
    document = await documents.open(file(endless_pdf()))
    (pid,) = documents.reader_pids(Family.PAGES)
    mine = psutil.Process().nice()
    call = asyncio.create_task(document.render(2, 0))
    await until(lambda: psutil.Process(pid).nice() == mine + 5)
    with pytest.raises(errors.PageReaderTimedOut):
        await call
    await document.text_layer(1, 0)
    (pid,) = documents.reader_pids(Family.PAGES)
    assert psutil.Process(pid).nice() == mine
