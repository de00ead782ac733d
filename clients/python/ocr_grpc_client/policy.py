"""The policy for retries and deadlines: the service config that the service publishes.

gRPC obeys it by itself for whatever it can send again, and obeys what the server says about when.
What it cannot send again, uploads and streams that have begun, is tried again by its numbers.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

SERVICE_CONFIG = files(__name__.rpartition(".")[0]).joinpath("service_config.json").read_text()
"""A copy of protos/ocr_grpc/v1/service_config.json."""

SENT_AGAIN_HERE = (
    {"service": "ocr_grpc.v1.OcrService", "method": "UploadExtract"},
    {"service": "ocr_grpc.v1.BatchService", "method": "UploadDocument"},
)
"""What gRPC is not to send again: it could do so for small documents only, and each of its attempts
would be one of ours."""

MAX_DELAY_SECONDS = 20.0
"""Whoever must wait longer before a repetition is told so and does not wait."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after how long something is tried again.

    Attributes:
        max_attempts: attempts in all, the first included.
        initial_seconds: the most to wait before the second.
        max_seconds: the most to wait before any.
        multiplier: by what the wait grows each time.
        codes: the names of the codes that may be tried again.
    """

    max_attempts: int
    initial_seconds: float
    max_seconds: float
    multiplier: float
    codes: frozenset[str]

    def delays(self) -> Iterator[float]:
        """Yield how many seconds to wait before each next attempt, without an end.

        Source: gRFC A6, exponential backoff; at random, so that many callers do not come at once.
        """
        bound = self.initial_seconds
        while True:
            yield bound * random.uniform(0.5, 1)  # noqa: S311 - no secret
            bound = min(bound * self.multiplier, self.max_seconds)


def config_for_grpc() -> str:
    """Return the service config with what gRPC has to do of it."""
    config = json.loads(SERVICE_CONFIG)
    for method in SENT_AGAIN_HERE:
        found = next(each for each in config["methodConfig"] if method in each["name"])
        found["name"].remove(method)
        alone = {key: value for key, value in found.items() if key != "retryPolicy"}
        config["methodConfig"].append(alone | {"name": [method]})
    return json.dumps(config)


def retry_policy(path: str) -> RetryPolicy:
    """Return the policy for an RPC, such as `/ocr_grpc.v1.OcrService/Extract`."""
    service, _, method = path.strip("/").partition("/")
    best: dict[str, Any] = {}
    for config in json.loads(SERVICE_CONFIG)["methodConfig"]:
        for name in config["name"]:
            if name.get("service") != service:
                continue
            if name.get("method") == method or ("method" not in name and not best):
                best = config
    retry = best["retryPolicy"]
    return RetryPolicy(
        retry["maxAttempts"],
        float(retry["initialBackoff"].rstrip("s")),
        float(retry["maxBackoff"].rstrip("s")),
        float(retry["backoffMultiplier"]),
        frozenset(retry["retryableStatusCodes"]),
    )
