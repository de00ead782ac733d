import asyncio
import sys

import pytest
import uvloop

from ocr_grpc.documents.lease import LEASE_CALLS
from ocr_grpc.documents.limits import DocumentLimits
from ocr_grpc.documents.pool import DocumentPool
from tests.documents.samples import PROSE, prose_pdf, until, written


async def finished_in_order(calls: dict[str, list]) -> list[str]:
    """Start all calls at once; return the names of those they belong to as they finish."""
    order: list[str] = []

    async def run(name: str, call) -> None:
        await call
        order.append(name)

    await asyncio.gather(*(run(name, call) for name, listed in calls.items() for call in listed))
    return order


async def test_a_document_gives_its_reader_up_after_sixteen_calls(pool, file):
    documents = await pool()
    path = file(prose_pdf(1))
    many = await documents.open(path, caller="many")
    one = await documents.open(path, caller="one")
    order = await finished_in_order(
        {"many": [many.text_layer(1, 72) for _ in range(50)], "one": [one.text_layer(1, 72)]}
    )
    assert order.index("one") == LEASE_CALLS == 16


async def test_callers_take_turns_whatever_they_have_opened(pool, file):
    documents = await pool()
    path = file(prose_pdf(1))
    greedy = [await documents.open(path, caller="greedy") for _ in range(20)]
    modest = await documents.open(path, caller="modest")
    order = await finished_in_order(
        {
            "greedy": [each.text_layer(1, 72) for each in greedy],
            "modest": [modest.text_layer(1, 72)],
        }
    )
    assert order.index("modest") <= 2


async def test_an_urgent_document_goes_first(pool, file):
    documents = await pool()
    path = file(prose_pdf(1))
    batch = [await documents.open(path, caller=f"{n}", priority=1) for n in range(5)]
    urgent = await documents.open(path, caller="urgent")
    order = await finished_in_order(
        {"batch": [each.text_layer(1, 72) for each in batch], "urgent": [urgent.text_layer(1, 72)]}
    )
    assert order.index("urgent") <= 1


async def test_waiting_documents_hold_no_reader(pool, file):
    documents = await pool()
    path = file(prose_pdf(2))
    opened = [await documents.open(path, caller=f"{n}") for n in range(100)]
    assert documents.busy == 0
    layers = await asyncio.gather(*(each.text_layer(2, 72) for each in opened))
    assert {layer.lines[-1].text for layer in layers} == {"Page 2"}
    assert documents.busy == documents.waiting == 0


async def test_slow_pages_shorten_a_lease_while_others_wait(pool, file):
    documents = await pool(contended_lease_seconds=0)
    path = file(prose_pdf(1))
    many = await documents.open(path, caller="many")
    one = await documents.open(path, caller="one")
    order = await finished_in_order(
        {"many": [many.text_layer(1, 72) for _ in range(9)], "one": [one.text_layer(1, 72)]}
    )
    assert order.index("one") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no uvloop")
def test_it_works_on_uvloop(tmp_path, file):
    async def read() -> list[str]:
        documents = DocumentPool(tmp_path / "spool", DocumentLimits(), 2)
        await documents.start()
        try:
            document = await documents.open(file(written(*PROSE)))
            page = await document.render(1, 72)
            assert page.path.stat().st_size == 596 * 842
            hanging = asyncio.create_task(document.render(1, 1200))
            await until(lambda: documents.busy)
            hanging.cancel()
            return [line.text for line in (await document.text_layer(1, 72)).lines]
        finally:
            await documents.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(read()) == list(PROSE)
