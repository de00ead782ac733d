"""Where the model files lie and what is fixed by how they were trained."""

from importlib import metadata, resources
from pathlib import Path

MODEL_NAME = "PP-OCRv6 small"
LINE_HEIGHT = 48
"""Pixels; the only height the recognizer takes."""
STEP_WIDTH = 8
"""Pixels of a line for which the recognizer gives one label."""
MULTIPLE = 32
"""Both sides of the detector's input must be divisible by this."""
PAD_LEVEL = 127
"""The grey both models were trained to see where there is no image."""


TILE_SHAPES = ((640, 640), (640, 960), (640, 1280))
"""Height and width of what the detector is given.

Few, because each costs OpenVINO 60 to 90 MB; low, because a call of any of them stays under a tenth
of a second on one core with AMX and so a page can be given up between calls.
"""
STRIP_WIDTHS = (160, 288, 576, 832, 1024, 1312, 1536, 1760, 2048, 2560)
"""Widths of what the recognizer is given; each costs OpenVINO 30 MB and 0.2 s at the start.

The ten that waste the least, 5 %, on the 4,200 lines of the pages in `benchmarks`.
"""


def model_path(kind: str) -> Path:
    """Return the ONNX file of the `det` or the `rec` model inside the rapidocr wheel.

    Only the files of that wheel are used, none of its code: it would shrink pages, flip lines,
    and open a path or URL given as text.

    Raises:
        FileNotFoundError: if the wheel is installed without its models.
    """
    path = Path(str(resources.files("rapidocr") / "models" / f"PP-OCRv6_{kind}_small.onnx"))
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; reinstall the package rapidocr 3.10.")
    return path


def model_version() -> str:
    """Return the version of the wheel the models come from."""
    return f"rapidocr {metadata.version('rapidocr')}"
