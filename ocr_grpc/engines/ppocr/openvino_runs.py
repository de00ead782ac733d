"""Runs one inference of OpenVINO so that it can be given up halfway."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation, ReadCancelled

WATCH_MILLISECONDS = 50
"""How often a running inference is checked for cancellation."""


def run(request: Any, array: NDArray[Any], cancellation: Cancellation) -> list[NDArray[Any]]:
    """Return the outputs of a request; their memory is overwritten by its next call."""
    if cancellation.is_set():
        raise ReadCancelled
    request.start_async([np.ascontiguousarray(array)], share_inputs=True)
    while not request.wait_for(WATCH_MILLISECONDS):
        if cancellation.is_set():
            _stop(request)
            raise ReadCancelled
    return [cast(NDArray[Any], tensor.data) for tensor in request.output_tensors]


def _stop(request: Any) -> None:
    """Stop a running request and wait until it has let go of its input."""
    request.cancel()
    try:
        request.wait()
    except RuntimeError:
        return  # Being cancelled is reported as an error, under no name of its own.
