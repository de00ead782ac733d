"""The settings about the cache of results; part of `settings.py`."""

from pydantic import Field
from pydantic_settings import BaseSettings

MIB = 1024 * 1024


class CacheSettings(BaseSettings):
    """What is kept of documents that were read, so that they need not be read again."""

    result_cache_bytes: int = Field(
        default=64 * MIB,
        ge=0,
        le=2**40,
        description="Bytes of results that are kept: in memory, or in Redis for all servers "
        "together. 64 MiB are some 10,000 pages. 0: none.",
    )
    result_cache_seconds: float = Field(
        default=3600,
        gt=0,
        le=30 * 86_400,
        description="Seconds that a result is kept. An hour covers whoever asks again at once.",
    )
    result_cache_shared: bool = Field(
        default=False,
        description="Whether all users are given the results of each other. A second answer that "
        "comes at once then tells that somebody had the same document read.",
    )
