"""Opens the cache of results."""

from contextlib import AsyncExitStack

from ocr_grpc.extraction.cache import ResultCache
from ocr_grpc.extraction.cache_key import KeyMaker
from ocr_grpc.settings import Settings
from ocr_grpc.store.news import News
from ocr_grpc.store.redis_link import RedisLink
from ocr_grpc.store.result_cache import ROOM_SHARE, MemoryResults, Results, Room
from ocr_grpc.store.result_cache_redis import RedisResults
from ocr_grpc.store.sealing import Seal
from ocr_grpc.telemetry.cache_metrics import CacheMetrics
from ocr_grpc.telemetry.metrics import Metrics

ANSWERS = (
    "max_pages",
    "max_page_pixels",
    "max_archive_members",
    "max_archive_bytes",
    "max_archive_ratio",
    "max_pictures_per_page",
    "llm_base_url",
    "llm_model",
    "llm_profile",
    "llm_prompt",
    "llm_context_tokens",
)
"""The settings that change what is read of a document, beside the engine chosen."""


def open_cache(
    settings: Settings, seal: Seal, changes: News, metrics: Metrics, stack: AsyncExitStack
) -> ResultCache | None:
    """Return the cache of results; None if there shall be none.

    Args:
        settings: how large, for how long, and where.
        seal: of this installation.
        changes: news about users; who changed or is gone has nothing in it any more.
        metrics: told what it is good for.
        stack: closes it.
    """
    limit_bytes, seconds = settings.result_cache_bytes, settings.result_cache_seconds
    if not limit_bytes:
        return None
    if redis_url := settings.redis_url.get_secret_value():
        link = RedisLink(redis_url, lambda _gone: None)
        results: Results = RedisResults(link, seal, limit_bytes, seconds)
    else:
        results = MemoryResults(limit_bytes, seconds)
    stack.push_async_callback(results.close)
    room = Room(limit_bytes // ROOM_SHARE)
    counts = CacheMetrics(metrics.registry, lambda: results.used_bytes + room.used_bytes)
    limits = repr([getattr(settings, name) for name in ANSWERS])
    keys = KeyMaker(seal, limits, settings.result_cache_shared)
    cache = ResultCache(results, keys, room, counts)

    def heard(user_id: str | None) -> None:
        if user_id:  # if news were missed, what is kept ends by itself soon
            cache.forget(user_id)

    stack.callback(changes.subscribe(heard))
    return cache
