"""A few of the faults that `make faults` makes a hundred of."""

import pytest

from benchmarks.batch_faults import few_faults


@pytest.mark.timeout(600)  # processes are started again and again, and leases run out
async def test_batches_survive_kills_and_stops_with_every_page_once(folder, production):
    for trial in await few_faults(folder, production.database_url):
        assert trial.wrong == []
        assert trial.faults.total() > 0
        assert trial.pages > 0
