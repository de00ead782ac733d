import asyncio
import time

import bcrypt
import pytest

from ocr_grpc.accounts.errors import LoginThrottled, PasswordTooLong, PasswordTooShort
from ocr_grpc.accounts.passwords import (
    MAX_WAITING,
    MAX_WAITING_TO_HASH,
    PasswordHasher,
    check_new_password,
)


@pytest.fixture
def hasher():
    made = PasswordHasher(cost=4)
    yield made
    made.close()


async def test_a_password_is_recognized_and_another_is_not(hasher):
    kept = await hasher.hash("correct horse")
    assert await hasher.verify("correct horse", kept)
    assert not await hasher.verify("correct horsf", kept)


async def test_every_character_counts_beyond_the_72_bytes_of_bcrypt(hasher):
    kept = await hasher.hash("x" * 100 + "a")
    assert await hasher.verify("x" * 100 + "a", kept)
    assert not await hasher.verify("x" * 100 + "b", kept)
    assert not await hasher.verify("x" * 72, kept)


async def test_a_nul_does_not_end_a_password(hasher):
    kept = await hasher.hash("before\0after")
    assert not await hasher.verify("before\0", kept)
    assert await hasher.verify("before\0after", kept)


async def test_without_a_hash_no_password_is_right(hasher):
    assert not await hasher.verify("correct horse", None)


async def test_without_a_hash_it_takes_the_time_of_the_cost_in_force():
    hasher = PasswordHasher(cost=10)
    kept = await hasher.hash("correct horse")
    seconds: dict[str | None, float] = {}
    for hash_ in (kept, None) * 3:
        begin = time.process_time()
        await hasher.verify("wrong", hash_)
        # Processor time, and the least of three: on a busy machine others are in between.
        took = time.process_time() - begin
        seconds[hash_] = min(took, seconds.get(hash_, took))
    assert 0.3 < seconds[kept] / seconds[None] < 3
    hasher.close()


async def test_nothing_longer_than_a_password_can_be_is_hashed_whole(hasher):
    kept = await hasher.hash("x" * 1024)
    assert await hasher.verify("x" * 1024, kept)
    assert not await hasher.verify("x" * 1025, kept)
    assert not await hasher.verify("x" * 50_000_000, kept)


async def test_a_hash_of_another_cost_still_works_and_is_outdated(hasher):
    kept = await hasher.hash("correct horse")
    dearer = PasswordHasher(cost=5)
    assert await dearer.verify("correct horse", kept)
    assert dearer.is_outdated(kept)
    assert not hasher.is_outdated(kept)
    dearer.close()


async def test_beyond_64_that_wait_more_are_refused():
    hasher = PasswordHasher(cost=8, threads=1)
    kept = await hasher.hash("correct horse")
    attempts = [hasher.verify("wrong", kept) for _ in range(MAX_WAITING + 21)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, LoginThrottled)]
    assert len(refused) == 20
    assert refused[0].retry_after_seconds == 1.0
    assert await hasher.verify("correct horse", kept)
    hasher.close()


async def test_new_passwords_take_half_of_the_places_at_most():
    hasher = PasswordHasher(cost=4, threads=1)
    kept = await hasher.hash("correct horse")
    hashing = [asyncio.create_task(hasher.hash("x")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    verifying = [hasher.verify("correct horse", kept) for _ in range(MAX_WAITING_TO_HASH)]
    assert await asyncio.gather(*verifying) == [True] * MAX_WAITING_TO_HASH
    hashed = await asyncio.gather(*hashing, return_exceptions=True)
    refused = [answer for answer in hashed if isinstance(answer, LoginThrottled)]
    assert len(refused) == MAX_WAITING - MAX_WAITING_TO_HASH - 1  # one is under way
    hasher.close()


async def test_whoever_signs_in_comes_first_and_nobody_waits_for_ever():
    hasher = PasswordHasher(cost=4, threads=1)
    kept = await hasher.hash("correct horse")
    order = []

    async def noted(name, work):
        await work
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(noted("hash", hasher.hash("x")))
        await asyncio.sleep(0)
        for _ in range(6):
            tasks.create_task(noted("verify", hasher.verify("x", kept)))
    first, *rest = order  # the first was under way already
    assert first == "hash"
    assert rest == ["verify"] * 4 + ["hash"] + ["verify"] * 2 + ["hash"]
    hasher.close()


async def test_those_who_leave_give_their_places_back():
    hasher = PasswordHasher(cost=6, threads=2)
    for _ in range(3):
        waiting = [asyncio.create_task(hasher.verify("x", None)) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    everybody = [hasher.verify("x", None) for _ in range(MAX_WAITING)]
    assert await asyncio.gather(*everybody) == [False] * MAX_WAITING
    hasher.close()


async def test_closing_drops_those_who_wait():
    hasher = PasswordHasher(cost=8, threads=1)
    waiting = [asyncio.create_task(hasher.hash("x")) for _ in range(5)]
    await asyncio.sleep(0.005)
    hasher.close()
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[1:])


async def test_the_event_loop_runs_on_while_passwords_are_hashed():
    hasher = PasswordHasher(cost=12)
    hashing = asyncio.create_task(hasher.hash("correct horse"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert turns > 5
    assert bcrypt.checkpw(b"x", hashing.result().encode()) is False
    hasher.close()


@pytest.mark.parametrize(
    ("password", "error"),
    [("1234567", PasswordTooShort), ("", PasswordTooShort), ("x" * 1025, PasswordTooLong)],
)
def test_a_new_password_has_8_to_1024_characters(password, error):
    with pytest.raises(error) as refused:
        check_new_password(password, 8, "new_password")
    assert refused.value.field == "new_password"


def test_characters_are_counted_not_bytes():
    check_new_password("пароль12", 8)
    check_new_password("é" * 1024, 8)
