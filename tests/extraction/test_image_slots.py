"""How many images there may be, for each engine."""

import asyncio
from contextlib import AsyncExitStack

from ocr_grpc.engines.page_read import Priority
from ocr_grpc.extraction.engine_choice import Engines
from ocr_grpc.extraction.image_slots import ImageSlots
from ocr_grpc.extraction.options import ExtractOptions
from tests.extraction.scripted import Lines, Vision

FAST = Lines(name="fast")
SLOW = Lines(name="slow", languages=("ru",))
ENGINES = Engines([FAST, SLOW], Vision(), "fast")


def chosen(**options):
    return ENGINES.choose(ExtractOptions(**options))


async def test_pages_that_wait_for_one_engine_leave_room_for_those_of_another():
    images = ImageSlots(ENGINES, pages_at_once=0, at_the_model=16)
    slow = images.of(chosen(languages=("ru",)))
    for number in range(slow.capacity):
        await slow.acquire(f"caller {number}")
    assert images.of(chosen()).in_use == 0
    assert images.of(chosen(engine="vlm")).in_use == 0


async def test_places_follow_the_workers_of_their_engine():
    images = ImageSlots(ENGINES, pages_at_once=0, at_the_model=16)
    fast, before = images.of(chosen()), images.of(chosen()).capacity
    FAST.ready_workers = 20
    images.resize()
    assert fast.capacity >= 40 > before
    assert images.at_once(chosen()) == 22
    assert images.at_once(chosen(languages=("ru",))) == 4
    FAST.ready_workers = 1


async def test_a_document_never_takes_all_places():
    for workers in (0, 1, 2, 8, 100):
        FAST.ready_workers = workers
        images = ImageSlots(ENGINES, pages_at_once=0, at_the_model=16)
        assert images.at_once(chosen()) < images.of(chosen()).capacity - 1
    FAST.ready_workers = 1


class Pages:
    """Pages that want a place, and hold it until they are told to go."""

    def __init__(self, images) -> None:
        self.images = images
        self.held: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def want(self, name: str, caller: str, priority: Priority) -> None:
        async def hold() -> None:
            async with self.images.slot(caller, priority):
                self.held.append(name)
                await asyncio.Event().wait()

        self.tasks[name] = asyncio.create_task(hold())
        await self.settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self.tasks[name].cancel()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):  # what is free is given within one turn of the loop or two
            await asyncio.sleep(0)


async def test_batches_leave_a_place_to_whoever_waits_for_an_answer():
    images = ImageSlots(ENGINES, pages_at_once=0, at_the_model=16).of(chosen())
    pages = Pages(images)
    for number in range(20):
        await pages.want(f"{number}", f"user {number % 3}", Priority.BATCH)
    assert len(pages.held) == images.capacity - 1
    for name in ("now", "then"):
        await pages.want(name, "somebody", Priority.INTERACTIVE)
    assert pages.held[-1] == "now"
    await pages.end("0")
    assert pages.held[-1] == "then"  # before all of the batches that came earlier
    await pages.end("now", "then", *(f"{number}" for number in range(1, 20)))
    assert (images.in_use, images.waiting) == (0, 0)


async def test_batches_of_several_users_take_turns_at_their_places():
    images = ImageSlots(ENGINES, pages_at_once=0, at_the_model=16).of(chosen())
    pages = Pages(images)
    for number in range(20):
        await pages.want(f"ann {number}", "ann", Priority.BATCH)
    alone = len(pages.held)
    assert alone == images.capacity - 2
    await pages.want("bob 0", "bob", Priority.BATCH)
    assert pages.held[-1] == "bob 0"
    await pages.end(*pages.tasks)
    assert (images.in_use, images.waiting) == (0, 0)


async def test_whoever_waits_for_an_answer_takes_no_more_from_batches_than_a_turn():
    images = ImageSlots(ENGINES, pages_at_once=0, at_the_model=16).of(chosen())
    async with AsyncExitStack() as held:
        for _ in range(images.capacity - 1):
            await held.enter_async_context(images.slot("somebody", Priority.INTERACTIVE))
        async with images.slot("ann", Priority.BATCH):  # the place that one caller leaves
            assert images.in_use == images.capacity
