"""Which machines a setting stands for."""

import socket

import pytest

from ocr_grpc.engines.endpoints import Endpoint, Machine, find_machines, parse_endpoints


def test_endpoints_are_names_or_addresses_with_ports():
    found = parse_endpoints("one.example.com:50052, 10.0.0.1:1,[2001:db8::1]:65535,10.0.0.1:1,")
    assert [(each.host, each.port) for each in found] == [
        ("one.example.com", 50052),
        ("10.0.0.1", 1),
        ("2001:db8::1", 65535),
    ]
    assert [str(each) for each in found][2] == "[2001:db8::1]:65535"
    assert parse_endpoints(" ") == ()


@pytest.mark.parametrize(
    "text",
    [
        *("host", "host:", ":1", "host:0", "host:65536", "host:x", "http://host:1", "u@host:1"),
        *("h:1/p", "a..b:1", "x" * 64 + ".com:1", "ü" * 64 + ":1"),
    ],
)
def test_anything_else_is_refused_and_quoted(text):
    with pytest.raises(ValueError, match=r"is not host:port") as refused:
        parse_endpoints(f"good:1,{text}")
    assert text in str(refused.value)


async def test_a_name_is_asked_by_ipv4_if_it_has_both_kinds_of_addresses(monkeypatch):
    def both(*_, **__):
        for family, address in ((socket.AF_INET6, "2001:db8::1"), (socket.AF_INET, "10.0.0.1")):
            yield family, socket.SOCK_STREAM, 6, "", (address, 7)

    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: list(both()))
    endpoint = Endpoint("both.example.com", 7)
    assert await find_machines(endpoint) == {Machine(endpoint, "10.0.0.1")}


async def test_addresses_stand_for_themselves():
    (machine,) = await find_machines(Endpoint("::1", 7))
    assert machine.target == "ipv6:[::1]:7"
    (machine,) = await find_machines(Endpoint("127.0.0.1", 7))
    assert machine.target == "ipv4:127.0.0.1:7"


@pytest.mark.parametrize(("number", "gone"), [(socket.EAI_NONAME, True), (socket.EAI_AGAIN, False)])
async def test_a_name_that_is_gone_is_not_one_that_cannot_be_looked_up_now(
    monkeypatch, number, gone
):
    def fail(*_, **__):
        raise socket.gaierror(number, "failed")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    if gone:
        assert await find_machines(Endpoint("gone.example.com", 7)) == frozenset()
    else:
        with pytest.raises(OSError, match="failed"):
            await find_machines(Endpoint("gone.example.com", 7))


async def test_a_name_that_cannot_be_one_stands_for_nobody():
    assert await find_machines(Endpoint("a..b", 7)) == frozenset()
