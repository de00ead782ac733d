"""Gathers what comes while what came before is being dealt with."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

Item = TypeVar("Item")


async def gathered(
    items: AsyncGenerator[Item, None], max_waiting: int
) -> AsyncGenerator[list[Item], None]:
    """Yield what has come, in order, one item at least, while more is taken in beside it.

    With `max_waiting` items not yet yielded, no more are taken in. An error of the items is raised
    once all that came before it was yielded. Closing the iterator early closes that of the items,
    and waits until it has stopped.
    """
    waiting: deque[Item] = deque()
    some, room = asyncio.Event(), asyncio.Event()

    async def take_in() -> None:
        async with aclosing(items):
            async for item in items:
                waiting.append(item)
                some.set()
                while len(waiting) >= max_waiting:
                    room.clear()
                    await room.wait()

    taking = asyncio.create_task(take_in())
    taking.add_done_callback(lambda _: some.set())
    try:
        while True:
            await some.wait()
            if waiting:
                batch = list(waiting)
                waiting.clear()
                room.set()
                yield batch
            elif taking.done():
                taking.result()
                return
            else:
                some.clear()
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
