"""Whose chunk is handed out next: small worlds without a database."""

from collections import Counter

from ocr_grpc.batches.pace import Pace
from ocr_grpc.batches.shares import Flight, Room, Shares


def handed_out(room: Room, flying: dict[str, Flight], waiting: dict[str, int], **weights: float):
    """Return whose chunks are given out, in order; `waiting` says how many everybody has."""
    left = Counter(waiting)
    shares = Shares(room, flying, list(waiting))
    given: list[str] = []
    while user_id := shares.next():
        if not left[user_id]:
            continue
        left[user_id] -= 1
        given.append(user_id)
        shares.give(user_id)
        shares.put(user_id, weights.get(user_id, 1.0))
    return given


def test_one_slot_is_left_for_whoever_comes_anew():
    assert handed_out(Room(8), {}, {"ann": 100}) == ["ann"] * 7
    flying = {"ann": Flight(7, 1.0)}
    assert handed_out(Room(8), flying, {"ann": 93, "bob": 100}) == ["bob"]


def test_a_single_slot_is_anybodys():
    assert handed_out(Room(1), {}, {"ann": 100}) == ["ann"]


def test_users_have_equal_shares_and_all_slots_are_used():
    given = handed_out(Room(8), {}, {"ann": 100, "bob": 100})
    assert Counter(given) == {"ann": 4, "bob": 4}


def test_shares_follow_weights():
    given = handed_out(Room(8), {}, {"ann": 100, "bob": 100}, ann=3.0)
    assert Counter(given) == {"ann": 6, "bob": 2}


def test_who_has_nothing_in_flight_goes_before_those_with_great_weights():
    flying = {"ann": Flight(1, 100.0)}
    assert handed_out(Room(2), flying, {"ann": 5, "bob": 5}) == ["bob"]


def test_nothing_is_given_beyond_the_room():
    flying = {"ann": Flight(5, 1.0), "bob": Flight(3, 1.0)}
    assert handed_out(Room(8), flying, {"cid": 5}) == []
    assert handed_out(Room(8, prefetch=2), flying, {"cid": 5}) == ["cid"] * 2


def test_a_user_alone_gets_what_is_prefetched_beside_its_slots():
    assert len(handed_out(Room(8, prefetch=4), {}, {"ann": 100})) == 11


def test_room_is_not_lost_on_those_with_nothing_ready():
    assert handed_out(Room(4), {}, {"ann": 0, "bob": 1, "cid": 100}) == ["bob", "cid", "cid", "cid"]


def test_slow_chunks_are_not_prefetched_and_quick_ones_are():
    now = 100.0
    pace = Pace(lambda: now)
    pace.ended()
    assert int(pace.within(0.1)) == 0
    for _ in range(249):
        pace.ended()
    assert pace.within(0.1) == 50
    now += 1
    assert pace.within(0.1) == 0
