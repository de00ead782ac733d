"""What an inference runtime does for the engine, and the choice of one for this machine."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr.pixels import Pixels, Probabilities

BackendName = Literal["auto", "openvino", "onnxruntime"]
PrecisionName = Literal["auto", "bf16", "f32"]
_AVX2 = 11
"""`CV_CPU_AVX2`, which OpenCV does not export to Python."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What the recognizer sees along one line, `STEP_WIDTH` pixels at a time.

    Attributes:
        labels: (steps,) int32; 0 is the blank, others are places in the alphabet.
        probabilities: (steps,) float32 in [0, 1]; meaningless where the label is blank.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]


class Backend(Protocol):
    """Runs the two models. One call at a time; both methods stop soon after a cancellation."""

    @property
    def name(self) -> str:
        """The runtime with its version, such as `openvino 2026.4.1`."""
        ...

    @property
    def precision(self) -> str:
        """The arithmetic really used: `bf16` or `f32`."""
        ...

    @property
    def characters(self) -> tuple[str, ...]:
        """The characters of labels 1 onward, as the model file lists them."""
        ...

    @property
    def tile_shapes(self) -> tuple[tuple[int, int], ...]:
        """The (height, width) a tile may have, smallest first."""
        ...

    @property
    def strip_widths(self) -> tuple[int, ...]:
        """The widths a strip may have, smallest first."""
        ...

    def find_text(self, tile: Pixels, cancellation: Cancellation) -> Probabilities:
        """Return where an RGB tile of one of `tile_shapes` holds text, in the same size.

        Raises:
            ReadCancelled: within a tenth of a second of the cancellation.
        """
        ...

    def read_strips(self, strips: list[Pixels], cancellation: Cancellation) -> list[Steps]:
        """Return what RGB strips (48, width, 3), all of one of `strip_widths`, say.

        Raises:
            ReadCancelled: within a tenth of a second of the cancellation.
        """
        ...


def load_backend(name: BackendName, precision: PrecisionName, threads: int) -> Backend:
    """Load both models into the runtime asked for.

    `auto` takes OpenVINO where it is installed and the CPU has AVX2, which it is made for.

    Raises:
        ValueError: for a precision the runtime or the CPU does not have.
        ImportError: if the runtime asked for is not installed.
    """
    if name == "openvino" or (name == "auto" and _suits_openvino()):
        from ocr_grpc.engines.ppocr.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(precision, threads)
    from ocr_grpc.engines.ppocr.onnxruntime_backend import OnnxRuntimeBackend

    return OnnxRuntimeBackend(precision, threads)


def _suits_openvino() -> bool:
    return find_spec("openvino") is not None and cv2.checkHardwareSupport(_AVX2)
