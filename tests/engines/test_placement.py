"""Which worker a page goes to."""

from collections import Counter
from dataclasses import dataclass

from ocr_grpc.engines.placement import chosen


@dataclass(eq=False)
class Other:
    """A worker as others see it."""

    name: str
    busy: float
    remote: int = 1
    has_room: bool = True

    @property
    def crowding(self) -> tuple[float, int]:
        return self.busy, self.remote


def counted(*workers: Other) -> Counter[str]:
    return Counter(found.name for _ in range(600) if (found := chosen(workers)))


def test_the_less_busy_of_two_is_asked():
    assert counted(Other("busy", 0.75), Other("quiet", 0.25)) == {"quiet": 600}


def test_of_many_two_are_looked_at_so_that_servers_do_not_all_ask_the_same_one():
    counts = counted(Other("quiet", 0.0), Other("middle", 0.25), Other("busy", 0.5))
    assert counts["quiet"] > counts["middle"] > 100
    assert not counts["busy"]


def test_no_page_waits_behind_another_while_somebody_is_free():
    full = [Other(f"full {number}", 1.0) for number in range(20)]
    assert counted(*full, Other("free", 0.9)) == {"free": 600}


def test_a_process_of_this_machine_is_rather_asked_than_an_equal_one_elsewhere():
    assert counted(Other("there", 0.0), Other("here", 0.0, remote=0)) == {"here": 600}


def test_who_has_no_room_is_not_asked():
    assert chosen([Other("full", 0.0, has_room=False)]) is None
    assert chosen([]) is None
