"""What an inference runtime does for the engine."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr.pixels import Pixels, Probabilities

BackendName = Literal["auto", "openvino", "onnxruntime"]
PrecisionName = Literal["auto", "bf16", "f32"]
AlphabetName = Literal["full", "latin"]
"""All characters of the model, or those of Latin print."""


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

    def read_strips(
        self, strips: list[Pixels], alphabet: AlphabetName, cancellation: Cancellation
    ) -> list[Steps]:
        """Return what RGB strips (48, width, 3), each of one of `strip_widths`, say.

        Args:
            strips: in any order; the answer has the same.
            alphabet: the characters to choose from.
            cancellation: looked at again and again.

        Raises:
            ReadCancelled: within a tenth of a second of the cancellation.
        """
        ...
