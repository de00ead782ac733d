"""The messages of the contract as dataclasses; `protos/ocr_grpc/v1` is their manual."""

import betterproto2

from ._generated.google.api import HttpBody
from ._generated.google.protobuf import FieldMask
from ._generated.google.rpc import (
    BadRequest,
    ErrorInfo,
    QuotaFailure,
    RetryInfo,
    Status,
)
from ._generated.grpc.health.v1 import (
    HealthCheckRequest,
    HealthCheckResponse,
    HealthCheckResponseServingStatus,
)
from ._generated.ocr_grpc import v1
from ._generated.ocr_grpc.v1 import *  # noqa: F403 - all of them, by their __all__
from .secrecy import hide_secrets

__all__ = [
    "BadRequest",
    "ErrorInfo",
    "FieldMask",
    "HealthCheckRequest",
    "HealthCheckResponse",
    "HealthCheckResponseServingStatus",
    "HttpBody",
    "QuotaFailure",
    "RetryInfo",
    "Status",
]
__all__ += v1.__all__

_named = (getattr(v1, name) for name in v1.__all__)
hide_secrets(
    each for each in _named if isinstance(each, type) and issubclass(each, betterproto2.Message)
)
