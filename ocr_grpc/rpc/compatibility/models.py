"""The names that clients of other services have for an engine."""

import re

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.v1 import compatibility_service_pb2 as pb

OWNER = "ocr_grpc"

_DEFAULT = re.compile(
    r"(default|(chatgpt|gpt|mistral|o\d|pixtral)(-[a-z0-9.-]{1,60})?)?", re.IGNORECASE
)
"""Names that stand for whatever engine is there: those that users of other services have."""


def engine_option(model: str, engine: EngineDescription) -> str:
    """Return the option `engine` for a model; one that nobody knows is refused with the options."""
    if _DEFAULT.fullmatch(model) or model.lower() in (engine.name.lower(), engine.model.lower()):
        return ""
    return model


def models_of(engine: EngineDescription) -> pb.ListModelsResponse:
    """Return the engines as models."""
    model = pb.ListedModel(id=engine.name, object="model", owned_by=OWNER)
    return pb.ListModelsResponse(object="list", data=[model])
