"""ONNX Runtime, for machines OpenVINO does not suit."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs] # it ships none
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation, ReadCancelled
from ocr_grpc.engines.ppocr.backend import AlphabetName, PrecisionName, Steps
from ocr_grpc.engines.ppocr.languages import latin_labels
from ocr_grpc.engines.ppocr.models import STRIP_WIDTHS, TILE_SHAPES, model_path
from ocr_grpc.engines.ppocr.pixels import Pixels, Probabilities

WATCH_SECONDS = 0.05
"""How often a running inference is checked for cancellation."""

_ort = cast(Any, ort)


class OnnxRuntimeBackend:
    """Both models as ONNX Runtime sessions in f32, on `threads` threads."""

    tile_shapes = TILE_SHAPES
    strip_widths = STRIP_WIDTHS
    precision = "f32"

    def __init__(self, precision: PrecisionName, threads: int) -> None:
        if precision == "bf16":
            raise ValueError("ONNX Runtime computes in f32 here; ask for `f32` or `auto`.")
        self.name = f"onnxruntime {_ort.__version__}"
        self._detector = _session(model_path("det"), threads)
        self._recognizer = _session(model_path("rec"), threads)
        metadata = self._recognizer.get_modelmeta().custom_metadata_map
        self.characters = tuple(metadata["character"].splitlines())
        self._latin = latin_labels(self.characters)

    def find_text(self, tile: Pixels, cancellation: Cancellation) -> Probabilities:
        """See `Backend.find_text`."""
        probabilities = _run(self._detector, [tile], cancellation)[0, 0]
        return np.asarray(probabilities * 255, np.uint8)

    def read_strips(
        self, strips: list[Pixels], alphabet: AlphabetName, cancellation: Cancellation
    ) -> list[Steps]:
        """See `Backend.read_strips`. One strip at a time: batches were slower on few cores.

        All characters are computed whatever the alphabet: the graph cannot be cut here.
        """
        steps: list[Steps] = []
        for strip in strips:
            probabilities = _run(self._recognizer, [strip], cancellation)[0]
            if alphabet == "latin":
                probabilities = probabilities[:, self._latin]
                probabilities /= probabilities.sum(axis=1, keepdims=True)
            places = probabilities.argmax(axis=1)
            best = np.take_along_axis(probabilities, places[:, None], axis=1)[:, 0]
            labels = self._latin[places] if alphabet == "latin" else places.astype(np.int32)
            steps.append(Steps(labels, best))
        return steps


def _session(path: Path, threads: int) -> Any:
    options = _ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning burns the second core while it waits, and the arena never gives memory back.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return _ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: Any, images: list[Pixels], cancellation: Cancellation) -> NDArray[np.float32]:
    # The models were trained on BGR, scaled to -1..1.
    blob = cv2.dnn.blobFromImages(images, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
    with _stopping(cancellation) as options:
        try:
            return cast(NDArray[np.float32], session.run(None, {"x": blob}, options)[0])
        except Exception:
            # A terminated run raises a general error that says so only in its message.
            if options.terminate:
                raise ReadCancelled from None
            raise


@contextmanager
def _stopping(cancellation: Cancellation) -> Generator[Any]:
    """Lend run options that a thread beside the run turns to `terminate` on cancellation."""
    if cancellation.is_set():
        raise ReadCancelled
    options = _ort.RunOptions()
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(WATCH_SECONDS):
            if cancellation.is_set():
                options.terminate = True
                return

    watcher = threading.Thread(target=watch, name="ppocr-watch", daemon=True)
    watcher.start()
    try:
        yield options
    finally:
        finished.set()
        watcher.join()
