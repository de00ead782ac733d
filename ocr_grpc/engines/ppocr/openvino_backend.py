"""OpenVINO: the fastest way to run the models on x86, in bf16 where the CPU computes in it."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import openvino
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr import openvino_graphs as graphs
from ocr_grpc.engines.ppocr.backend import AlphabetName, PrecisionName, Steps
from ocr_grpc.engines.ppocr.languages import latin_labels
from ocr_grpc.engines.ppocr.models import LINE_HEIGHT, STRIP_WIDTHS, TILE_SHAPES, model_path
from ocr_grpc.engines.ppocr.openvino_head import OpenVinoHead
from ocr_grpc.engines.ppocr.openvino_runs import run
from ocr_grpc.engines.ppocr.pixels import Pixels, Probabilities

BATCHED_WIDTHS = STRIP_WIDTHS[:2]
"""Widths read several at a time, which spares the short strips of tables and forms a third; long
ones gain a twentieth, and each costs 30 MB."""
BATCH = 4
FEWEST_IN_BATCH = 3
"""Fewer are read one by one: a batch costs the same whether it is full or not."""
_NOTHING = np.zeros((0, 0), np.float32)


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
        self._batched = {
            width: self._compiled(graphs.recognizer_graph(body, BATCH, LINE_HEIGHT, width))
            for width in BATCHED_WIDTHS
        }
        self._head = OpenVinoHead(head, latin_labels(self.characters), self._compiled)

    def find_text(self, tile: Pixels, cancellation: Cancellation) -> Probabilities:
        """See `Backend.find_text`."""
        request = self._detectors[tile.shape[0], tile.shape[1]]
        return run(request, tile[None], cancellation)[0][0, 0].copy()

    def read_strips(
        self, strips: list[Pixels], alphabet: AlphabetName, cancellation: Cancellation
    ) -> list[Steps]:
        """See `Backend.read_strips`."""
        features: list[NDArray[np.float32]] = [_NOTHING] * len(strips)
        for width in {strip.shape[1] for strip in strips}:
            places = [place for place, strip in enumerate(strips) if strip.shape[1] == width]
            for some in self._batches(places, width):
                batch = np.stack([strips[place] for place in some])
                for place, line in zip(some, self._features(batch, cancellation), strict=False):
                    features[place] = line
        return self._head.steps(features, alphabet, cancellation)

    def _batches(self, places: list[int], width: int) -> Iterator[list[int]]:
        """Yield strips of one width in groups that are read at once."""
        size = BATCH if width in BATCHED_WIDTHS else 1
        for start in range(0, len(places), size):
            some = places[start : start + size]
            yield from [some] if len(some) >= FEWEST_IN_BATCH else [[place] for place in some]

    def _features(self, batch: Pixels, cancellation: Cancellation) -> NDArray[np.float32]:
        """Return (strips, steps, features) from (strips, 48, width, 3)."""
        count, width = len(batch), batch.shape[2]
        if count == 1:
            return run(self._recognizers[width], batch, cancellation)[0].copy()
        padded = np.concatenate([batch, np.zeros((BATCH - count, *batch.shape[1:]), np.uint8)])
        return run(self._batched[width], padded, cancellation)[0][:count].copy()

    def _compiled(self, model: Any) -> Any:
        return self._core.compile_model(model, "CPU", self._properties).create_infer_request()


def _precision(asked: PrecisionName, capabilities: list[str]) -> str:
    if asked == "bf16" and "BF16" not in capabilities:
        raise ValueError("This CPU does not compute in bf16; ask for `f32` or `auto`.")
    if asked == "auto":
        return "bf16" if "BF16" in capabilities else "f32"
    return asked
