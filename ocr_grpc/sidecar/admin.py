"""Envoy's administration, over its Unix socket."""

from pathlib import Path
from typing import Any

import httpx

from ocr_grpc.sidecar.bootstrap import LISTENER, STATISTICS_PREFIX

ANSWER_SECONDS = 2.0
ACTIVE_REQUESTS = f"http.{STATISTICS_PREFIX}.downstream_rq_active"


class EnvoyAdmin:
    """Asks a running Envoy, and has it drain; raises `httpx.HTTPError` if it is gone."""

    def __init__(self, socket: Path) -> None:
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)),
            base_url="http://envoy",
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )

    async def is_ready(self) -> bool:
        """Return whether it listens and knows which servers are healthy."""
        try:
            return (await self._client.get("/ready")).is_success
        except httpx.HTTPError:
            return False

    async def port(self) -> int:
        """Return the port it listens on."""
        answer = await self._client.get("/listeners", params={"format": "json"})
        listeners: list[dict[str, Any]] = answer.json()["listener_statuses"]
        addresses = (each["local_address"] for each in listeners if each["name"] == LISTENER)
        return int(next(addresses)["socket_address"]["port_value"])

    async def active_requests(self) -> int:
        """Return how many calls of clients are under way."""
        asked = {"filter": f"^{ACTIVE_REQUESTS}$", "format": "json"}
        answer = await self._client.get("/stats", params=asked)
        return sum(int(each.get("value", 0)) for each in answer.json()["stats"])

    async def drain(self) -> None:
        """Have it fail health checks and ask clients to close their connections."""
        await self._client.post("/healthcheck/fail")
        await self._client.post("/drain_listeners", params="graceful")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()
