import asyncio

import pytest

from ocr_grpc.fairness import FairSlots


async def taken_in_order(slots: FairSlots, wanted: list[tuple[str, int]]) -> list[str]:
    """Queue these callers behind one who holds the only slot, then let them all have a turn."""
    order: list[str] = []

    async def take(caller: str, priority: int) -> None:
        async with slots.slot(caller, priority):
            order.append(caller)

    async with slots.slot("first"):
        tasks = [asyncio.create_task(take(*caller)) for caller in wanted]
        await asyncio.sleep(0)
        assert slots.waiting == len(wanted)
    await asyncio.gather(*tasks)
    return order


async def test_free_slots_are_given_at_once():
    slots = FairSlots(2)
    async with slots.slot("a"), slots.slot("a"):
        assert slots.in_use == 2
    assert slots.in_use == 0


async def test_no_more_than_the_capacity_is_held():
    slots, most = FairSlots(3), 0

    async def work() -> None:
        nonlocal most
        async with slots.slot("a"):
            most = max(most, slots.in_use)
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(50)))
    assert most == 3
    assert slots.in_use == slots.waiting == 0


async def test_callers_take_turns():
    order = await taken_in_order(FairSlots(1), [("a", 0)] * 4 + [("b", 0)] * 2 + [("c", 0)])
    assert order == ["a", "b", "c", "a", "b", "a", "a"]


async def test_a_late_caller_waits_for_one_turn_only():
    order = await taken_in_order(FairSlots(1), [("many", 0)] * 100 + [("one", 0)])
    assert order.index("one") == 1


async def test_a_smaller_priority_goes_first():
    order = await taken_in_order(FairSlots(1), [("batch", 5)] * 2 + [("now", 0)] * 2)
    assert order == ["now", "now", "batch", "batch"]


async def test_a_cancelled_wait_leaves_the_line():
    slots = FairSlots(1)
    await slots.acquire("a")
    waiting = asyncio.create_task(slots.acquire("b"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slots.waiting == 0
    assert not slots.contended
    slots.release("a")
    await slots.acquire("c")
    assert slots.in_use == 1


async def test_a_slot_granted_in_the_moment_of_cancelling_is_not_lost():
    slots = FairSlots(1)
    await slots.acquire("a")
    waiting = asyncio.create_task(slots.acquire("b"))
    await asyncio.sleep(0)
    slots.release("a")  # grants it to b, who has not run since
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slots.in_use == 0


async def test_a_slot_goes_past_a_waiter_that_is_being_cancelled():
    slots = FairSlots(1)
    await slots.acquire("a")
    leaving = asyncio.create_task(slots.acquire("b"))
    staying = asyncio.create_task(slots.acquire("c"))
    await asyncio.sleep(0)
    leaving.cancel()
    slots.release("a")
    await staying
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (slots.in_use, slots.waiting) == (1, 0)


async def test_more_capacity_is_given_to_those_who_wait():
    slots = FairSlots(0)
    waiting = [asyncio.create_task(slots.acquire("a")) for _ in range(3)]
    await asyncio.sleep(0)
    slots.resize(2)
    await asyncio.sleep(0)
    assert (slots.in_use, slots.waiting) == (2, 1)
    slots.release("a")
    await asyncio.gather(*waiting)


async def test_less_capacity_takes_nothing_away():
    slots = FairSlots(2)
    await slots.acquire("a")
    await slots.acquire("a")
    slots.resize(1)
    waiting = asyncio.create_task(slots.acquire("b"))
    await asyncio.sleep(0)
    slots.release("a")
    await asyncio.sleep(0)
    assert (slots.in_use, slots.waiting) == (1, 1)
    slots.release("a")
    await waiting


async def test_the_line_before_a_priority_can_be_counted():
    slots = FairSlots(0)
    tasks = [asyncio.create_task(slots.acquire("a", priority)) for priority in (0, 0, 1, 2)]
    await asyncio.sleep(0)
    assert [slots.waiting_before(priority) for priority in (0, 1, 2)] == [2, 3, 4]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert slots.waiting == 0


async def test_an_error_inside_the_block_gives_the_slot_back():
    slots = FairSlots(1)
    with pytest.raises(ValueError, match="inside"):
        async with slots.slot("a"):
            raise ValueError("inside")
    assert slots.in_use == 0


async def test_one_caller_leaves_a_slot_to_the_others():
    slots = FairSlots(3, spare=1)
    waiting = [asyncio.create_task(slots.acquire("greedy")) for _ in range(5)]
    await asyncio.sleep(0)
    assert (slots.in_use, slots.waiting) == (2, 3)
    assert not slots.contended  # those who wait may have none
    await slots.acquire("modest")  # past three that came earlier
    slots.release("modest")
    await asyncio.sleep(0)
    assert (slots.in_use, slots.waiting) == (2, 3)
    for _ in range(5):
        slots.release("greedy")
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert slots.in_use == 0


async def test_a_single_slot_is_anybodys():
    slots = FairSlots(1, spare=1)
    await slots.acquire("a")
    assert slots.in_use == 1
