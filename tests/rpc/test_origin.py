import ipaddress

import pytest

from ocr_grpc.rpc.caller import address_of
from ocr_grpc.rpc.origin import Origin, origin_of

SIDECARS = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")]


class Call:
    """What is asked of a context of grpc."""

    def __init__(self, peer: str, *metadata: tuple[str, str | bytes]) -> None:
        self._peer, self._metadata = peer, metadata

    def peer(self) -> str:
        return self._peer

    def invocation_metadata(self):
        return self._metadata


ATTEMPT = ("x-ocr-retry-id", "8c1f0a52-6a0e-4e3c-9a54-0e8e3fb0a1b7")
SAID = ("x-ocr-client-address", "203.0.113.9")


@pytest.mark.parametrize(
    "peer", ["unix:", "unix:/run/http.sock", "ipv4:10.1.2.3:4711", "ipv6:%5Bfd00::1%5D:99"]
)
def test_a_sidecar_is_believed(peer):
    origin = origin_of(Call(peer, SAID), SIDECARS)
    assert (origin.peer, address_of(origin.peer)) == ("http:203.0.113.9", "203.0.113.9")


@pytest.mark.parametrize("peer", ["ipv4:10.2.0.1:4711", "ipv4:127.0.0.1:1", "ipv6:%5B::1%5D:99"])
def test_nobody_else_is(peer):
    assert origin_of(Call(peer, SAID, ATTEMPT), SIDECARS) == Origin(peer)


def test_an_address_of_version_six_is_kept_whole():
    origin = origin_of(Call("unix:", ("x-ocr-client-address", "2001:db8::7")), ())
    assert address_of(origin.peer) == "2001:db8::7"


@pytest.mark.parametrize("said", ["", "unknown", "1.2.3.4:80", "a\nb", b"1.2.3.4"])
def test_what_is_no_address_is_not_believed(said):
    assert origin_of(Call("unix:", ("x-ocr-client-address", said)), ()).peer == "unix:"


def test_a_sidecar_says_which_attempts_are_one_call():
    origin = origin_of(Call("unix:", SAID, ATTEMPT), ())
    assert origin.retry_id == "sidecar:8c1f0a52-6a0e-4e3c-9a54-0e8e3fb0a1b7"
    assert not origin_of(Call("unix:", SAID, ("x-ocr-retry-id", "a b")), ()).retry_id
