"""What counts as level, and what as growing."""

import random
import time

import pytest

from tests.faults.resources import SAMPLE_SECONDS, SLACK, Resources, slope

FLAT = dict.fromkeys(SLACK, 100.0)


def grown(per_ten_minutes: float, restarts: bool = False) -> Resources:
    """Return half an hour of samples of a role that grows so much."""
    dice, resources, began = random.Random(1), Resources([]), time.monotonic()
    for number in range(360):
        at = number * SAMPLE_SECONDS
        value = 100 + per_ten_minutes * at / 600 + dice.uniform(-5, 5)
        if restarts and number % 12 == 0:
            value = 10
        resources.samples.append((began + at, "serve", FLAT | {"descriptors": value}))
    return resources


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(("growth", "good"), [(0, True), (15, True), (60, False)])
def test_what_grows_is_found_also_amid_restarts(growth, good, restarts):
    levels = {level.what: level for level in grown(growth, restarts).levels()}
    assert levels["descriptors"].good is good, str(levels["descriptors"])
    assert levels["memory_mib"].good


def test_a_short_run_is_not_judged():
    resources = grown(60)
    resources.samples = resources.samples[:50]
    assert resources.levels() == []


def test_a_slope_is_not_moved_by_a_few_samples():
    points = [(float(second), 2.0 * second) for second in range(100)]
    assert slope(points) == pytest.approx(2)
    points[::10] = [(at, 0.0) for at, _ in points[::10]]
    assert slope(points) == pytest.approx(2, rel=0.05)
