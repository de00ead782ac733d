"""Lists of hosts that may be asked: for documents, and by webhooks."""

import re
from dataclasses import dataclass

PORTS = {"http": 80, "https": 443}
USUAL_PORTS = frozenset(PORTS.values())
ANY_PORT = -1

_NAME = r"[a-z0-9_-](?:[a-z0-9._-]*[a-z0-9_-])?"

# The dot after a name says no more than the name; URLs lose it as well.
_ENTRY = re.compile(
    r"(?:(?P<scheme>https?)://)?"
    rf"(?:(?P<name>(?:\*\.)?{_NAME})\.?|(?P<other>\*|\[[0-9a-f:.]+\]))"
    r"(?::(?P<port>\d{1,5}|\*))?"
)


@dataclass(frozen=True, slots=True)
class HostEntry:
    """One part of a list.

    Attributes:
        pattern: a name, `*.` and a name for everything below it, or `*`.
        port: None for the usual one of the scheme, `ANY_PORT` for all.
        scheme: `http` or `https`; None for both.
    """

    pattern: str
    port: int | None = None
    scheme: str | None = None

    def allows(self, scheme: str, host: str, port: int) -> bool:
        """Return whether this part allows to ask a host at a port."""
        if self.scheme not in (None, scheme) or not _matches(self.pattern, host):
            return False
        if self.port is None:
            return port == PORTS[self.scheme] if self.scheme else port in USUAL_PORTS
        return self.port in (port, ANY_PORT)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What the settings `FETCH_HOSTS` and `WEBHOOK_HOSTS` say. Empty: nobody may be asked."""

    entries: tuple[HostEntry, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowedHosts":
        """Return the list that is written with commas, such as `files.example.com, *.example.org`.

        Raises:
            ValueError: a part is no host.
        """
        return cls(tuple(_entry(part) for part in text.lower().split(",") if part.strip()))

    def allow(self, scheme: str, host: str, port: int) -> bool:
        """Return whether a host may be asked at a port. The host is in lower case, in ASCII."""
        return any(entry.allows(scheme, host, port) for entry in self.entries)


def _entry(part: str) -> HostEntry:
    part = part.strip()
    match = _ENTRY.fullmatch(part)
    if match is None:
        hint = "" if part.isascii() else "; write international names in Punycode, as xn--..."
        raise ValueError(
            f"{part!r} is no host such as files.example.com, https://files.example.com, "
            f"files.example.com:8443, *.example.com or *{hint}"
        )
    pattern, port = match["name"] or match["other"].strip("[]"), match["port"]
    number = ANY_PORT if port == "*" else int(port) if port else None
    return HostEntry(pattern, number, match["scheme"])


def _matches(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern
