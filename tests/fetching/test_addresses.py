import pytest

from ocr_grpc.fetching.addresses import is_public, is_public_or_private

FORBIDDEN = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.8.8.8 168.63.129.16
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
198.51.100.1 203.0.113.1 224.0.0.1 233.252.0.1 239.1.1.1 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808
64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 2002:7f00:1::
2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1111%eth0
fec0::1 ff02::1 ff0e::1
"""
PRIVATE = "10.0.0.1 100.64.0.1 127.0.0.1 172.16.0.1 192.168.1.1 ::1 fc00::1 fd12::1"
NEVER = """
0.0.0.0 100.100.100.200 168.63.129.16 169.254.169.254 192.0.0.192 198.18.0.1 224.0.0.1
255.255.255.255 :: ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: fd00:ec2::254 fe80::1
fc00::1%eth0 ff02::1
"""
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e"]


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_an_address_that_is_not_everybodys_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    assert is_public(address)


@pytest.mark.parametrize("address", [*PUBLIC, *PRIVATE.split()])
def test_where_private_addresses_are_allowed_those_of_hosts_are(address):
    assert is_public_or_private(address)


@pytest.mark.parametrize("address", NEVER.split())
def test_even_then_credentials_of_clouds_and_wrapped_addresses_are_out_of_reach(address):
    assert not is_public_or_private(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.1", "2130706433", "8.8.8.8 "])
def test_what_is_no_address_is_refused(text):
    assert not is_public(text)
    assert not is_public_or_private(text)
