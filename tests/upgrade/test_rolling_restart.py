"""Two servers are restarted one after the other under load, and no caller notices."""

from tests.upgrade.rolling import roll


async def test_a_rolling_restart_loses_nothing(production, tmp_path):
    urls = {name.upper(): value for name, value in production.settings.items()}
    verdict = await roll(tmp_path, urls, rounds=1)
    assert verdict.wrong == []
    kinds = {kind for kind, _ in verdict.seen.ends}
    assert {"GetMe", "batch", "resumable StreamExtract 0", "POST ocr:upload"} <= kinds
    assert len(verdict.restarts) == 2
    # Streams that were longer than the grace went on at the other server.
    assert verdict.seen.resumed > 0
