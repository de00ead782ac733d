"""The names that clients of other services have for an engine."""

import re
from collections.abc import Sequence

from ocr_grpc.engines.engine import EngineDescription
from ocr_grpc.v1 import compatibility_service_pb2 as pb

OWNER = "ocr_grpc"

_DEFAULT = re.compile(
    r"(default|(chatgpt|gpt|mistral|o\d|pixtral)(-[a-z0-9.-]{1,60})?)?", re.IGNORECASE
)
"""Names that stand for whatever engine is there: those that users of other services have."""


def engine_option(model: str, engines: Sequence[EngineDescription]) -> str:
    """Return the option `engine` for a model; one that nobody knows is refused with the options.

    Args:
        model: as it was asked for.
        engines: the default one first.
    """
    if _DEFAULT.fullmatch(model):
        return ""
    for engine in engines:
        if model.lower() in (engine.name.lower(), engine.model.lower()):
            return engine.name
    return model


def takes_prompt(model: str, engines: Sequence[EngineDescription]) -> bool:
    """Return whether words beside the documents are for the engine.

    Only for one that was named: what is said to a chat model would only confuse a model for OCR.
    """
    name = engine_option(model, engines)
    return any(engine.name == name and engine.takes_prompt for engine in engines)


def models_of(engines: Sequence[EngineDescription]) -> pb.ListModelsResponse:
    """Return the engines as models."""
    models = [pb.ListedModel(id=e.name, object="model", owned_by=OWNER) for e in engines]
    return pb.ListModelsResponse(object="list", data=models)
