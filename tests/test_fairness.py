import asyncio
from dataclasses import dataclass

import pytest

from ocr_grpc.fairness import FairSlots


@dataclass(frozen=True)
class Wanted:
    """A slot that is asked for."""

    caller: str
    priority: int = 0
    weight: float = 1.0
    job: str = ""


async def taken_in_order(slots: FairSlots, wanted: list[Wanted]) -> list[str]:
    """Queue these callers behind one who holds the only slot, then let them all have a turn.

    Returns:
        The callers, or their jobs where they have some, in the order of their turns.
    """
    order: list[str] = []

    async def take(each: Wanted) -> None:
        async with slots.slot(each.caller, each.priority, each.weight, each.job):
            order.append(each.job or each.caller)

    async with slots.slot("first"):
        tasks = [asyncio.create_task(take(each)) for each in wanted]
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
    wanted = [Wanted("a")] * 4 + [Wanted("b")] * 2 + [Wanted("c")]
    order = await taken_in_order(FairSlots(1), wanted)
    assert order == ["a", "b", "c", "a", "b", "a", "a"]


async def test_a_late_caller_waits_for_one_turn_only():
    order = await taken_in_order(FairSlots(1), [Wanted("many")] * 100 + [Wanted("one")])
    assert order.index("one") == 1


async def test_a_smaller_priority_goes_first():
    order = await taken_in_order(FairSlots(1), [Wanted("batch", 5)] * 2 + [Wanted("now")] * 2)
    assert order == ["now", "now", "batch", "batch"]


async def test_no_weight_gets_past_a_priority():
    wanted = [Wanted("batch", 1, weight=1000)] * 3 + [Wanted("now", 0, weight=0.001)] * 3
    order = await taken_in_order(FairSlots(1), wanted)
    assert order == ["now"] * 3 + ["batch"] * 3


async def test_a_caller_of_weight_two_has_two_turns_where_another_has_one():
    wanted = [Wanted("two", weight=2)] * 20 + [Wanted("one")] * 20
    order = await taken_in_order(FairSlots(1), wanted)
    for third in range(3, 28, 3):
        assert order[:third].count("two") == pytest.approx(2 * third / 3, abs=1)


async def test_a_caller_that_was_away_has_saved_nothing_up():
    slots, order = FairSlots(1), []

    async def take(caller: str) -> None:
        async with slots.slot(caller):
            order.append(caller)
            if len(order) == 50:
                late.extend(asyncio.create_task(take("late")) for _ in range(20))
                await asyncio.sleep(0)

    late: list[asyncio.Task[None]] = []
    async with slots.slot("late"):
        busy = [asyncio.create_task(take("busy")) for _ in range(100)]
        await asyncio.sleep(0)
    await asyncio.gather(*busy)
    await asyncio.gather(*late)
    assert order[50:60].count("late") == 5


async def test_a_caller_that_was_alone_owes_nothing_for_it():
    slots = FairSlots(1)
    assert await taken_in_order(slots, [Wanted("a")] * 50) == ["a"] * 50
    assert await taken_in_order(slots, [Wanted("a"), Wanted("b")] * 2) == ["a", "b", "a", "b"]


async def test_the_jobs_of_a_caller_take_turns():
    wanted = [Wanted("a", job="long")] * 100 + [Wanted("a", job="short")] + [Wanted("b")] * 2
    order = await taken_in_order(FairSlots(1), wanted)
    assert order[:4] == ["long", "b", "short", "b"]


async def test_many_jobs_give_a_caller_no_more_turns():
    wanted = [Wanted("a", job=f"a{n}") for n in range(10)] + [Wanted("b", job="b1")] * 10
    order = await taken_in_order(FairSlots(1), wanted)
    assert order[:10].count("b1") == 5


async def test_pages_of_one_job_keep_their_order():
    order = await taken_in_order(FairSlots(1), [Wanted("a", job=f"{n % 2}") for n in range(6)])
    assert order == ["0", "1"] * 3


async def test_a_weight_that_is_no_share_is_refused():
    slots = FairSlots(1)
    with pytest.raises(ValueError, match="above 0"):
        await slots.acquire("a", weight=0)
    assert (slots.in_use, slots.waiting) == (0, 0)


async def test_thousands_of_waiters_come_and_go_without_a_trace():
    slots = FairSlots(3, spare=1)

    async def take(number: int) -> None:
        weight, job = 1 + number % 3, f"{number % 7}"
        async with slots.slot(f"caller {number % 40}", number % 2, weight, job):
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(take(number)) for number in range(6_000)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(each, asyncio.CancelledError) for each in ended) == 2_000
    assert (slots.in_use, slots.waiting, slots.contended) == (0, 0, False)
    assert not slots._lines


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


async def test_a_caller_held_back_goes_on_where_slots_are_added():
    slots = FairSlots(2, spare=1)
    waiting = [asyncio.create_task(slots.acquire("greedy")) for _ in range(3)]
    await asyncio.sleep(0)
    assert (slots.in_use, slots.waiting) == (1, 2)
    slots.resize(3)
    await asyncio.sleep(0)
    assert (slots.in_use, slots.waiting) == (2, 1)
    waiting[2].cancel()
    await asyncio.wait(waiting)
    assert (slots.in_use, slots.waiting, slots.contended) == (2, 0, False)


async def test_a_caller_held_back_keeps_its_turn():
    slots, order = FairSlots(2, spare=1), []

    async def take(caller: str) -> None:
        async with slots.slot(caller):
            order.append(caller)
            await asyncio.sleep(0)

    await slots.acquire("a")
    await slots.acquire("b")
    tasks = [asyncio.create_task(take(caller)) for caller in "abab"]
    await asyncio.sleep(0)
    slots.release("b")
    slots.release("a")
    await asyncio.gather(*tasks)
    assert sorted(order[:2]) == sorted(order[2:]) == ["a", "b"]
