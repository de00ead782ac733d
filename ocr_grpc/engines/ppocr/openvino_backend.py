"""OpenVINO: the fastest way to run the models on x86, in bf16 where the CPU computes in it."""

from itertools import pairwise
from typing import Any, cast

import numpy as np
import openvino
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation, ReadCancelled
from ocr_grpc.engines.ppocr import openvino_graphs as graphs
from ocr_grpc.engines.ppocr.backend import PrecisionName, Steps
from ocr_grpc.engines.ppocr.models import LINE_HEIGHT, STRIP_WIDTHS, TILE_SHAPES, model_path
from ocr_grpc.engines.ppocr.pixels import Pixels, Probabilities

WATCH_MILLISECONDS = 50
"""How often a running inference is checked for cancellation."""
LATIN_COUNT = 560
"""Labels of the blank, ASCII, and accented Latin letters, which stand first in the alphabet."""
OTHER_GROUPS = 4
"""Parts of all other characters: fewer overflow the cache, more cost calls (measured)."""


class OpenVinoBackend:
    """Both models compiled for the CPU, each tile and strip in a shape of its own.

    One dynamic shape instead would take less memory and a quarter more time (measured).
    """

    tile_shapes = TILE_SHAPES
    strip_widths = STRIP_WIDTHS

    def __init__(self, precision: PrecisionName, threads: int) -> None:
        core = cast(Any, openvino.Core())
        self.precision = _precision(
            precision, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        )
        self.name = f"openvino {str(openvino.__version__).split('-')[0]}"
        self._core = core
        self._properties: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self.precision,
            "ENABLE_CPU_PINNING": False,
        }
        self._load_detector()
        self._load_recognizer()

    def _load_detector(self) -> None:
        model = self._core.read_model(str(model_path("det")))
        self._detectors = {
            shape: self._compiled(graphs.detector_graph(model, *shape)) for shape in TILE_SHAPES
        }

    def _load_recognizer(self) -> None:
        model = self._core.read_model(str(model_path("rec")))
        self.characters = tuple(model.rt_info["framework"]["character"].value.splitlines())
        body, head = graphs.split_recognizer(model)
        self._recognizers = {
            width: self._compiled(graphs.recognizer_graph(body, 1, LINE_HEIGHT, width))
            for width in STRIP_WIDTHS
        }
        self._groups = _groups(head.bias.size)
        # Contiguous copies: a product with a slice of the whole matrix copies it every time.
        self._heads = [head.part(group) for group in self._groups]
        self._head_request = self._compiled(graphs.head_graph(self._heads))

    def find_text(self, tile: Pixels, cancellation: Cancellation) -> Probabilities:
        """See `Backend.find_text`."""
        request = self._detectors[tile.shape[0], tile.shape[1]]
        return _run(request, tile[None], cancellation)[0][0, 0].copy()

    def read_strips(self, strips: list[Pixels], cancellation: Cancellation) -> list[Steps]:
        """See `Backend.read_strips`."""
        steps: list[Steps] = []
        for strip in strips:
            features = _run(self._recognizers[strip.shape[1]], strip[None], cancellation)[0][0]
            steps.append(self._steps(features, cancellation))
        return steps

    def _steps(self, features: NDArray[np.float32], cancellation: Cancellation) -> Steps:
        """Return the best label of each step from features (steps, features)."""
        outputs = _run(self._head_request, features, cancellation)
        best, latin = (np.asarray(output, np.float32) for output in outputs)
        labels = np.zeros(len(features), np.int32)
        probabilities = np.ones(len(features), np.float32)
        winners = best.argmax(axis=1)
        for place in range(1, len(self._groups)):
            rows = np.flatnonzero(winners == place)
            if not len(rows):
                continue
            scores = latin[rows] if place == 1 else self._heads[place].scores(features[rows])
            labels[rows] = self._groups[place].start + scores.argmax(axis=1)
            top = scores.max(axis=1, keepdims=True)
            others = np.exp(np.delete(best[rows], place, axis=1) - top).sum(axis=1)
            # The softmax, with each of the other groups standing as its greatest member.
            probabilities[rows] = 1 / (np.exp(scores - top).sum(axis=1) + others)
        return Steps(labels, probabilities)

    def _compiled(self, model: Any) -> Any:
        return self._core.compile_model(model, "CPU", self._properties).create_infer_request()


def _groups(character_count: int) -> list[slice]:
    """Return the blank, Latin letters and digits, the others in a few parts, and the space."""
    last = character_count - 1
    edges = np.linspace(LATIN_COUNT, last, OTHER_GROUPS + 1).astype(int).tolist()
    others = [slice(*edge) for edge in pairwise(edges)]
    return [slice(0, 1), slice(1, LATIN_COUNT), *others, slice(last, character_count)]


def _precision(asked: PrecisionName, capabilities: list[str]) -> str:
    if asked == "bf16" and "BF16" not in capabilities:
        raise ValueError("This CPU does not compute in bf16; ask for `f32` or `auto`.")
    if asked == "auto":
        return "bf16" if "BF16" in capabilities else "f32"
    return asked


def _run(request: Any, array: NDArray[Any], cancellation: Cancellation) -> list[NDArray[Any]]:
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
