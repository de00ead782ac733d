"""Where a call comes from: its peer, or whoever stands behind a sidecar that may be believed."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_grpc.rpc.caller import address_of
from ocr_grpc.rpc.interceptors.base import Context
from ocr_grpc.settings_http import Network
from ocr_grpc.sidecar.plan import CLIENT_ADDRESS, RETRY_ID

SOCKET_PEER = "unix:"
"""What grpc calls a peer at the socket of the sidecar."""

_RETRY_ID = re.compile(r"[0-9a-f-]{8,64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from.

    Attributes:
        peer: as grpc names peers, such as `ipv4:10.0.0.7:4711`; behind a sidecar `http:10.0.0.9`.
        retry_id: the same for all attempts that a sidecar makes of one call. Empty: there is one.
    """

    peer: str
    retry_id: str = ""


def origin_of(context: Context, trusted: Sequence[Network]) -> Origin:
    """Return where a call comes from.

    Args:
        context: the call.
        trusted: networks of sidecars on other machines. That of this one comes by a socket.
    """
    peer = context.peer()
    if not (peer.startswith(SOCKET_PEER) or _is_trusted(peer, trusted)):
        return Origin(peer)
    said = dict(context.invocation_metadata() or ())
    address, retry_id = said.get(CLIENT_ADDRESS), said.get(RETRY_ID)
    known = isinstance(address, str) and _is_address(address)
    whole = isinstance(retry_id, str) and _RETRY_ID.fullmatch(retry_id)
    return Origin(f"http:{address}" if known else peer, f"sidecar:{retry_id}" if whole else "")


def _is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    if not trusted or not (written := address_of(peer)):
        return False
    address = ipaddress.ip_address(written)
    return any(address in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
