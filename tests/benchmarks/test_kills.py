"""A few of the kills that `make faults` makes two hundred of."""

from benchmarks.kills import kill_often


async def test_after_a_kill_every_page_seen_is_charged_once_and_nothing_stays_reserved():
    trial = await kill_often(kills=2, seed=11)
    assert trial.wrong == []
    assert trial.seen > 0
