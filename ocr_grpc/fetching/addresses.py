"""Tells addresses that anybody on the internet may reach from private ones and all others."""

import ipaddress

# Beyond what `ipaddress` calls private. Networks that lead to IPv4 addresses would have to be
# unpacked and judged again; no public host needs them.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # the platform's own services on every Azure machine
        "192.0.0.0/24",  # protocol assignments; Python 3.11 calls most of them public
        "192.88.99.0/24",  # relays into 6to4
        "2001::/23",  # protocol assignments, Teredo among them, which wraps IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which wraps IPv4
        "3fff::/20",  # documentation
    )
)

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All public IPv6 hosts. Loopback, mapped IPv4, NAT64, local and multicast ones lie outside."""


_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
"""Networks of one's own. Link-local ones, where clouds keep credentials, are left out."""

_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")
)
"""Where clouds keep credentials in spite of that."""


def is_public(text: str) -> bool:
    """Return whether an address is a public one. What is no address is not."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (
        address.scope_id or address not in _GLOBAL_UNICAST
    ):
        return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address.version == each.version and address in each for each in _NEVER)


def is_public_or_private(text: str) -> bool:
    """Return whether an address is a public one, or that of a host in a network of one's own."""
    if is_public(text):
        return True
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return False
    return address not in _METADATA and any(
        address.version == each.version and address in each for each in _PRIVATE
    )
