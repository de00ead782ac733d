"""The two models cut and extended for OpenVINO, so that little has to leave the graph.

The recognizer ends in a softmax over 18,710 characters, a quarter of its time or more. Here it is
cut into the part before its last matrix, compiled once for each width of strip, and that matrix,
which `openvino_head` asks only for the characters in question.
"""

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import openvino
import openvino.opset13
from numpy.typing import NDArray
from openvino import preprocess

# OpenVINO's stubs leave most arguments unknown and its two Model classes contradict each other.
ov = cast(Any, openvino)
ops = cast(Any, openvino.opset13)


@dataclass(frozen=True, slots=True)
class Head:
    """The last, linear layer of the recognizer.

    Attributes:
        weights: (features, characters) float32.
        bias: (characters,) float32.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def part(self, group: slice | NDArray[np.int32]) -> "Head":
        """Return the layer for some of the characters only, in memory of its own."""
        return Head(np.ascontiguousarray(self.weights[:, group]), self.bias[group].copy())

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (steps, characters) from (steps, features)."""
        # Not NumPy's product: its OpenBLAS wakes a thread for every core, which then spin, and a
        # worker that has one core loses a hundredfold (measured).
        product = cast(Any, cv2).gemm(np.ascontiguousarray(features), self.weights, 1.0, None, 0.0)
        return np.asarray(product, np.float32) + self.bias


def detector_graph(model: Any, height: int, width: int) -> Any:
    """Return the detector from one uint8 RGB tile (1, height, width, 3) to uint8 probabilities."""
    model = model.clone()
    probability = model.get_results()[0].input_value(0)
    scaled = ops.convert(ops.multiply(probability, np.float32(255)), "u8")
    model = ov.Model([ops.result(scaled)], model.get_parameters(), "detector")
    return _from_images(model, [1, 3, height, width])


def split_recognizer(model: Any) -> tuple[Any, Head]:
    """Return the recognizer up to its features (lines, steps, features), and its last layer."""
    node = model.get_results()[0].input_value(0).get_node()
    bias: NDArray[np.float32] | None = None
    while node.get_type_name() != "MatMul":
        if node.get_type_name() == "Add":
            bias = np.array(node.input_value(1).get_node().data, np.float32)
        node = node.input_value(0).get_node()
    if bias is None:
        raise ValueError("The recognizer's last layer is not the matrix and bias expected.")
    weights = np.array(node.input_value(1).get_node().data, np.float32)
    features = node.input_value(0)
    body = ov.Model([ops.result(features)], model.get_parameters(), "recognizer")
    return body, Head(weights, bias.reshape(-1))


def recognizer_graph(body: Any, lines: int, height: int, width: int) -> Any:
    """Return the body from uint8 RGB strips (lines, height, width, 3) to features."""
    return _from_images(body.clone(), [lines, 3, height, width])


def scores_graph(head: Head) -> Any:
    """Return features (steps, features) to the scores of all characters, (steps, characters)."""
    features, score = _scored([head])
    return ov.Model([ops.result(score[0])], [features], "scores")


def greatest_graph(parts: list[Head]) -> Any:
    """Return features (steps, features) to the greatest score of each part, (steps, parts)."""
    features, scores = _scored(parts)
    best = ops.concat([ops.reduce_max(score, np.int64(1), True) for score in scores], 1)
    return ov.Model([ops.result(best)], [features], "greatest")


def _scored(parts: list[Head]) -> tuple[Any, list[Any]]:
    features = ops.parameter([-1, parts[0].weights.shape[0]], np.float32)
    products = [ops.matmul(features, ops.constant(p.weights), False, False) for p in parts]
    return features, [
        ops.add(product, ops.constant(part.bias))
        for product, part in zip(products, parts, strict=True)
    ]


def _from_images(model: Any, shape: list[int]) -> Any:
    model.reshape(shape)
    steps = cast(Any, preprocess).PrePostProcessor(model)
    image = steps.input()
    image.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    image.model().set_layout(ov.Layout("NCHW"))
    # The models were trained on BGR, scaled to -1..1.
    image.preprocess().convert_element_type(ov.Type.f32).reverse_channels().mean(127.5).scale(127.5)
    return steps.build()
