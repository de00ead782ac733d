"""The CPU engine: PP-OCRv6 small, run through OpenVINO or ONNX Runtime."""

from ocr_grpc.engines.ppocr.engine import PpOcrEngine

__all__ = ["PpOcrEngine"]
