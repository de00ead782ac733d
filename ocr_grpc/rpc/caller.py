"""Who makes the call under way, where from, and what that caller has left."""

import ipaddress
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from ocr_grpc.accounts.errors import CredentialsMissing
from ocr_grpc.accounts.principal import Actor, Principal
from ocr_grpc.errors import OcrError
from ocr_grpc.extraction.metered import LedgerMeter
from ocr_grpc.rpc.interceptors.base import Context

Interrupt = Callable[[OcrError], None]


@dataclass(slots=True)
class Caller:
    """The caller of one call.

    Attributes:
        address: where from, without a port; empty over a Unix socket.
        principal: who, once that is known. None: nobody who is signed in.
        retry_id: the same for all attempts that a sidecar makes of one call. Empty: there is one.
        left: what the caller has left, as metadata.
        meter: what counts the pages, if the call reads any.
        interrupt: ends the work of the call with an error and a last word, if the call offers that.
    """

    address: str
    call_id: str
    principal: Principal | None = None
    retry_id: str = ""
    left: dict[str, str] = field(default_factory=dict[str, str])
    meter: LedgerMeter | None = None
    interrupt: Interrupt | None = None


_current: ContextVar[Caller] = ContextVar("caller")


def current_caller() -> Caller:
    """Return the caller of the call this runs in.

    Raises:
        LookupError: outside a call.
    """
    return _current.get()


def set_current_caller(caller: Caller) -> None:
    """Make this the caller. Never reset: cleanup may run in another task."""
    _current.set(caller)


def current_principal() -> Principal:
    """Return who is calling.

    Raises:
        CredentialsMissing: nobody who is signed in. Only RPCs that are open to anyone can see that.
    """
    principal = current_caller().principal
    if principal is None:
        raise CredentialsMissing
    return principal


def current_actor() -> Actor:
    """Return who is calling, for the audit log."""
    caller = current_caller()
    return Actor(caller.principal, caller.address, caller.call_id)


def left_of(caller: Caller) -> dict[str, str]:
    """Return what the caller has left, the quota included once it is known."""
    remaining = caller.meter.remaining_pages if caller.meter else None
    if remaining is not None:
        caller.left["quota-remaining-pages"] = str(remaining)
    return caller.left


def with_left(context: Context, caller: Caller) -> tuple[tuple[str, str | bytes], ...]:
    """Return the trailing metadata of a call, with what the caller has left."""
    left = left_of(caller)
    others = (pair for pair in context.trailing_metadata() or () if pair[0] not in left)
    return (*others, *left.items())


def address_of(peer: str) -> str:
    """Return the address in a name such as `ipv4:10.0.0.7:4711` or `http:10.0.0.7`."""
    kind, _, rest = peer.partition(":")
    if kind == "http":  # behind a sidecar
        return _host_of(rest)
    return _host_of(rest.rpartition(":")[0]) if kind in ("ipv4", "ipv6") else ""


@lru_cache(maxsize=4096)
def _host_of(written: str) -> str:
    host = unquote(written).strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
