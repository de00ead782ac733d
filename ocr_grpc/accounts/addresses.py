"""What counts as one address, wherever callers are counted by theirs."""

import ipaddress

IPV6_PREFIX_BITS = 64
"""What one household or machine gets of IPv6: all of its addresses count as one."""


def network_of(address: str) -> str:
    """Return what an address counts as: itself, or its /64; any other text stays as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX_BITS), strict=False))
