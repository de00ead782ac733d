"""How the parts of a server are, as its administrators are told."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class ComponentState(Enum):
    """How a part is, from good to bad, and whether there is one at all."""

    OK = "ok"
    DEGRADED = "degraded"
    """It works in part, or something stands in for it."""
    DOWN = "down"
    OFF = "off"
    """It is not configured."""


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a server.

    Attributes:
        name: `database`, `redis`, `ledger`, `engine`, `disk` or `mail`.
        message: more about it, for people. Never a secret.
        latency_ms: milliseconds it took to answer; 0 if it was not asked.
    """

    name: str
    state: ComponentState
    message: str = ""
    latency_ms: float = 0.0


def worst_state(components: list[Component]) -> ComponentState:
    """Return the worst state of any part that is not off; OK if there is none."""
    order = (ComponentState.OK, ComponentState.DEGRADED, ComponentState.DOWN)
    states = [part.state for part in components if part.state is not ComponentState.OFF]
    return max(states, key=order.index, default=ComponentState.OK)


class SystemHealth(Protocol):
    """Knows how the parts of this server are."""

    async def check(self) -> list[Component]:
        """Ask every part, within some seconds; a part that does not answer is down."""
        ...
