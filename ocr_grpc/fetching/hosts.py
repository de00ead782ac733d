"""The list of hosts that documents may be fetched from."""

import re
from dataclasses import dataclass

_NAME = r"[a-z0-9_-](?:[a-z0-9._-]*[a-z0-9_-])?"

# The dot after a name says no more than the name; URLs lose it as well.
_ENTRY = re.compile(
    rf"(?:(?P<name>(?:\*\.)?{_NAME})\.?|(?P<other>\*|\[[0-9a-f:.]+\]))(?::(?P<port>\d{{1,5}}))?"
)

USUAL_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What the setting `FETCH_HOSTS` says.

    Attributes:
        entries: names, `*.` and a name for everything below it, or `*`; each with its port, or
            None for the usual two.
    """

    entries: tuple[tuple[str, int | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowedHosts":
        """Return the list that is written with commas, such as `files.example.com, *.example.org`.

        Raises:
            ValueError: a part is no host.
        """
        return cls(tuple(_entry(part) for part in text.lower().split(",") if part.strip()))

    def allow(self, host: str, port: int) -> bool:
        """Return whether a host may be asked at a port. The host is in lower case, in ASCII."""
        return any(
            _matches(pattern, host) and (port in USUAL_PORTS if own is None else port == own)
            for pattern, own in self.entries
        )


def _entry(part: str) -> tuple[str, int | None]:
    part = part.strip()
    match = _ENTRY.fullmatch(part)
    if match is None:
        hint = "" if part.isascii() else "; write international names in Punycode, as xn--..."
        raise ValueError(f"{part!r} is no host such as files.example.com, *.example.com or *{hint}")
    pattern, port = match["name"] or match["other"].strip("[]"), match["port"]
    return pattern, int(port) if port else None


def _matches(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern
