"""How many images there may be, for each engine."""

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
