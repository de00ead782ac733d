"""Whom a call counts for."""

import pytest

from ocr_grpc.accounts.addresses import network_of
from ocr_grpc.metering.errors import RateLimited
from ocr_grpc.metering.rate_limits import RateLimits, RateState
from ocr_grpc.store.rate_windows import RateWindows
from ocr_grpc.telemetry.metrics import Metrics
from tests.metering.support import caller


@pytest.fixture
async def limits(backend):
    windows = RateWindows(backend.redis_url, Metrics())
    yield RateLimits(windows, anonymous_calls_per_minute=2)
    await windows.close()


async def test_calls_without_credentials_count_by_address(limits):
    for address in ("10.0.0.1", "10.0.0.2", "2001:db8::1"):
        state = await limits.take(None, address)
        assert (state.limit, state.remaining) == (2, 1)
    await limits.take(None, "2001:db8::2")  # the same /64
    with pytest.raises(RateLimited) as refused:
        await limits.take(None, "2001:db8:0:0:9::3")
    assert refused.value.metadata == {"limit": "2", "scope": "address"}
    assert 0 < refused.value.retry_after_seconds <= 60.1


async def test_a_user_has_one_limit_wherever_the_call_comes_from(limits):
    ada = caller(calls_per_minute=2)
    await limits.take(ada, "10.0.0.1")
    await limits.take(ada, "10.0.0.2")
    with pytest.raises(RateLimited) as refused:
        await limits.take(ada, "10.0.0.3")
    assert refused.value.metadata["scope"] == "user"
    await limits.take(caller("bob", calls_per_minute=2), "10.0.0.1")


async def test_the_tightest_limit_is_told(limits):
    with_key = caller(calls_per_minute=5, key={"calls_per_minute": 3})
    assert (await limits.take(with_key, "")).remaining == 2
    for _ in range(3):
        await limits.take(caller(calls_per_minute=5), "")
    state = await limits.take(with_key, "")
    assert isinstance(state, RateState)
    assert (state.limit, state.remaining) == (5, 0)
    with pytest.raises(RateLimited):
        await limits.take(caller(calls_per_minute=5), "")


async def test_a_key_is_only_ever_tighter_than_its_user(limits):
    with_key = caller(calls_per_minute=1, key={"calls_per_minute": 100})
    assert (await limits.take(with_key, "")).limit == 1
    assert (await limits.take(caller("bob", key={"calls_per_minute": 7}), "")).limit == 7


async def test_zero_means_no_limit(limits):
    assert await limits.take(caller(), "10.0.0.1") is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_addresses_of_one_customer_count_as_one(address, network):
    assert network_of(address) == network
