from collections import Counter

import pytest

from ocr_grpc.turns import Turns


def taken(turns: Turns[str], weights: dict[str, float], count: int) -> list[str]:
    """Let everybody present take this many turns."""
    order: list[str] = []
    for _ in range(count):
        key = turns.next()
        assert key is not None
        turns.took(key, weights.get(key, 1.0))
        order.append(key)
    return order


def with_all(*keys: str) -> Turns[str]:
    turns = Turns[str]()
    for key in keys:
        turns.join(key)
    return turns


def test_equal_weights_take_turns_in_the_order_they_came():
    assert taken(with_all("b", "a", "c"), {}, 7) == list("bacbacb")


@pytest.mark.parametrize("weight", [0.5, 1, 2, 3, 7, 10.5])
def test_turns_are_shared_by_weight_and_never_drift(weight):
    turns = with_all("heavy", "light")
    order = taken(turns, {"heavy": weight}, 4_000)
    for upto in range(1, len(order), 37):
        heavy = order[:upto].count("heavy")
        assert abs(heavy - upto * weight / (weight + 1)) <= 1


def test_three_weights_share_exactly():
    weights = {"a": 1.0, "b": 2.0, "c": 4.0}
    assert Counter(taken(with_all(*weights), weights, 700)) == {"a": 100, "b": 200, "c": 400}


def test_being_away_saves_no_turns_up():
    turns = with_all("stays", "comes")
    taken(turns, {}, 2)
    turns.leave("comes")
    taken(turns, {}, 1_000)
    turns.join("comes")
    assert taken(turns, {}, 4).count("comes") == 2


def test_turns_taken_while_nobody_else_wanted_them_are_not_held_against_anybody():
    turns = with_all("alone")
    taken(turns, {}, 1_000)
    turns.join("new")
    assert taken(turns, {}, 4).count("alone") == 2


def test_leaving_after_each_turn_gains_nothing():
    turns, order = with_all("greedy", "patient"), []
    for _ in range(100):
        order += taken(turns, {}, 1)
        turns.leave("greedy")
        turns.join("greedy")
    assert abs(order.count("greedy") - order.count("patient")) <= 1


def test_coming_and_going_without_a_turn_leaves_nothing_behind():
    turns = with_all("stuck")
    for number in range(10_000):
        turns.join(f"{number}")
        turns.leave(f"{number}")
    assert len(turns) == 1
    assert len(turns._heap) < 200


def test_those_who_left_are_forgotten_once_their_turn_has_passed():
    turns = with_all("stays")
    for number in range(10_000):
        turns.join(f"{number}")
        taken(turns, {}, 2)
        turns.leave(f"{number}")
    assert len(turns._left) < 200


def test_nobody_is_next_where_nobody_waits():
    turns = with_all("a")
    turns.leave("a")
    turns.leave("a")
    assert turns.next() is None


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_no_share_is_refused(weight):
    with pytest.raises(ValueError, match="above 0"):
        with_all("a").took("a", weight)


def test_a_pause_keeps_a_turn_and_saves_none_up():
    turns = with_all("a", "b", "c")
    turns.pause("a")
    turns.join("a")
    assert turns.next() == "a"
    turns.pause("a")
    assert taken(turns, {}, 100) == ["b", "c"] * 50
    turns.join("a")
    assert taken(turns, {}, 6).count("a") == 2


def test_who_comes_during_a_pause_is_next_to_those_who_came_before():
    turns = with_all("a")
    turns.pause("b")
    turns.join("c")
    turns.join("b")
    assert taken(turns, {}, 3) == ["a", "b", "c"]


def test_who_leaves_in_a_pause_is_gone():
    turns = with_all("a")
    turns.pause("a")
    turns.leave("a")
    assert turns.next() is None
    assert not turns._paused
