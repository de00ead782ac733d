"""The choice of an inference runtime for this machine."""

from importlib.util import find_spec

import cv2

from ocr_grpc.engines.ppocr.backend import Backend, BackendName, PrecisionName

_AVX2 = 11
"""`CV_CPU_AVX2`, which OpenCV does not export to Python."""


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
