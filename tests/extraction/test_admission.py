import asyncio
import random
from contextlib import ExitStack

import pytest

from ocr_grpc.extraction.admission import Admission
from ocr_grpc.extraction.errors import MemoryFull, QueueFull
from ocr_grpc.extraction.places import Places
from ocr_grpc.fairness import FairSlots


class Clock:
    """Seconds that pass when told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_more_extractions_than_the_limit_are_refused_naming_it():
    admission = Admission(2, 9, 9)
    with admission.admitted("a", 0), admission.admitted("b", 0):
        with pytest.raises(QueueFull) as refused, admission.admitted("c", 0):
            pass
        assert refused.value.metadata["setting"] == "MAX_EXTRACTIONS"
    with admission.admitted("c", 0), admission.admitted("d", 0):
        pass


def test_more_extractions_of_one_caller_than_its_limit_are_refused():
    admission = Admission(9, 1, 9)
    with admission.admitted("a", 0):
        with pytest.raises(QueueFull) as refused, admission.admitted("a", 0):
            pass
        assert refused.value.metadata["setting"] == "MAX_EXTRACTIONS_PER_CALLER"
        with admission.admitted("b", 0):
            pass


def test_more_bytes_than_the_limit_are_refused():
    admission = Admission(9, 9, 100)
    with admission.admitted("a", 60):
        with pytest.raises(MemoryFull), admission.admitted("b", 50):
            pass
        with admission.admitted("b", 40):
            pass
    with admission.admitted("b", 100):
        pass


def retry_seconds(ended_after: float, under_way: int, waited: float = 0.0) -> float:
    """Return when a caller is told to come again.

    Args:
        ended_after: how long the extractions took that have ended.
        under_way: so many are, and that is the limit.
        waited: how long they have been.
    """
    clock = Clock()
    admission = Admission(under_way, under_way, 0, clock)
    for _ in range(100):
        with admission.admitted("before", 0):
            clock.now += ended_after
    with ExitStack() as stack:
        for _ in range(under_way):
            stack.enter_context(admission.admitted("now", 0))
        clock.now += waited
        with pytest.raises(QueueFull) as refused, admission.admitted("now", 0):
            pass
    return refused.value.retry_after_seconds


def test_the_retry_delay_follows_from_how_fast_extractions_end():
    assert retry_seconds(ended_after=30, under_way=1) == 30
    assert retry_seconds(ended_after=30, under_way=10) == 3
    assert retry_seconds(ended_after=100, under_way=10) == 10


def test_the_retry_delay_is_bounded():
    assert retry_seconds(ended_after=0.01, under_way=100) == 1
    assert retry_seconds(ended_after=3_600, under_way=2) == 60


def test_long_documents_under_way_make_the_retry_delay_longer():
    assert retry_seconds(ended_after=2, under_way=10, waited=300) == 30


def test_a_caller_over_its_own_limit_waits_for_its_own_extractions():
    clock = Clock()
    admission = Admission(100, 2, 0, clock)
    with ExitStack() as stack:
        for name in [f"other {n}" for n in range(50)] + ["own"] * 2:
            stack.enter_context(admission.admitted(name, 0))
        clock.now += 40
        with pytest.raises(QueueFull) as refused, admission.admitted("own", 0):
            pass
    assert refused.value.retry_after_seconds == 20


def test_callers_wait_for_their_turn_and_not_for_everybody():
    admission = Admission(99, 99, 0)
    assert [admission.queue("many").ahead for _ in range(5)] == [0, 1, 2, 3, 4]
    assert admission.queue("one").ahead == 1
    assert admission.queue("one").ahead == 3
    assert admission.queue("many").ahead == 7
    assert admission.waiting == 8


def test_a_more_urgent_place_is_before_all_others():
    admission = Admission(99, 99, 0)
    assert [admission.queue("batch", 1).ahead for _ in range(3)] == [0, 1, 2]
    assert admission.queue("now", 0).ahead == 0
    assert admission.queue("batch", 1).ahead == 4


def test_a_place_that_is_left_is_counted_no_more():
    admission = Admission(99, 99, 0)
    places = [admission.queue("a") for _ in range(3)]
    places[0].begin()
    places[1].leave()
    places[1].leave()
    places[1].begin()
    assert admission.waiting == 1
    assert admission.queue("a").ahead == 1
    places[0].leave()
    assert admission.waiting == 2


def test_places_given_up_are_not_held_against_their_caller():
    admission = Admission(99, 99, 0)
    for place in [admission.queue("nervous") for _ in range(50)]:
        place.leave()
    for _ in range(5):
        admission.queue("calm")
    assert admission.queue("nervous").ahead == 1


@pytest.mark.parametrize("seed", range(20))
async def test_the_place_told_is_the_one_that_fair_slots_give(seed):
    dice = random.Random(seed)
    slots, places, begun = FairSlots(1), Places(), []
    weights = {name: dice.choice([0.5, 1, 2, 3]) for name in "abcdefgh"}
    tasks: list[asyncio.Task[None]] = []
    hold = asyncio.Semaphore(0)
    await slots.acquire("first")

    async def extraction(number: int, caller: str, priority: int) -> None:
        place = places.take(caller, priority, weights[caller])
        told[number] = place.ahead
        async with slots.slot(caller, priority, weights[caller], job=f"{number}"):
            place.begin()
            begun.append(number)
            await hold.acquire()

    async def let_some_come(count: int) -> None:
        for _ in range(count):
            one = extraction(len(tasks), dice.choice("abcdefgh"), dice.choice([0, 0, 0, 1]))
            tasks.append(asyncio.create_task(one))
            await asyncio.sleep(0)

    told: dict[int, int] = {}
    await let_some_come(30)
    slots.release("first")
    while len(begun) < 12:
        hold.release()
        for _ in range(3):  # it ends, and the next one has begun
            await asyncio.sleep(0)
    await let_some_come(20)
    last, before = len(tasks) - 1, len(begun)
    for _ in tasks:
        hold.release()
    await asyncio.gather(*tasks)
    assert begun.index(last) - before == told[last]
    assert places.waiting == 0
