"""The last layer in parts gives what the whole layer gives."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_grpc.engines.engine import ReadCancelled
from ocr_grpc.engines.ppocr.backend import Steps

from .sheets import NOBODY

openvino = pytest.importorskip("openvino")

from ocr_grpc.engines.ppocr.openvino_graphs import Head  # noqa: E402  # needs openvino
from ocr_grpc.engines.ppocr.openvino_head import ROWS, SURE, OpenVinoHead  # noqa: E402  # likewise

LATIN = np.array([0, 2, 3, 5, 39], np.int32)
CHANCE = np.random.default_rng(6)
WHOLE = Head(
    CHANCE.normal(size=(8, 40)).astype(np.float32), CHANCE.normal(size=40).astype(np.float32)
)


@pytest.fixture(scope="module")
def head() -> OpenVinoHead:
    core: Any = openvino.Core()

    def compiled(graph: Any) -> Any:
        properties = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        return core.compile_model(graph, "CPU", properties).create_infer_request()

    return OpenVinoHead(WHOLE, LATIN, compiled)


def lines(scale: float) -> list[NDArray[np.float32]]:
    return [CHANCE.normal(scale=scale, size=(n, 8)).astype(np.float32) for n in (7, 1, 30)]


def softmax(features: NDArray[np.float32]) -> NDArray[np.float64]:
    scores = features.astype(np.float64) @ WHOLE.weights + WHOLE.bias
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_each_step_of_several_lines_has_the_label_that_the_whole_layer_gives_it(head: OpenVinoHead):
    some = lines(scale=1)
    for features, steps in zip(some, head.steps(some, "full", NOBODY), strict=True):
        assert steps.labels.tolist() == softmax(features).argmax(axis=1).tolist()
        said = ~np.isin(steps.labels, LATIN)
        assert said.any() or len(features) == 1
        # Of the other parts only their greatest members count, so it is a little too sure.
        whole = softmax(features).max(axis=1)[said]
        assert (steps.probabilities[said] >= whole - 1e-5).all()
        assert (steps.probabilities <= 1 + 1e-5).all()


def test_of_the_latin_alphabet_no_other_label_is_given(head: OpenVinoHead):
    some = lines(scale=1)
    for features, steps in zip(some, head.steps(some, "latin", NOBODY), strict=True):
        best = LATIN[softmax(features)[:, LATIN].argmax(axis=1)]
        assert steps.labels.tolist() == best.tolist()


def test_only_steps_without_doubt_are_spared_the_other_labels(head: OpenVinoHead):
    some = [np.concatenate(lines(scale=8))]
    (steps,) = head.steps(some, "full", NOBODY)
    scores = some[0] @ WHOLE.weights + WHOLE.bias
    sure = scores[:, LATIN].max(axis=1) > SURE
    assert 0 < sure.sum() < len(sure)
    assert np.isin(steps.labels[sure], LATIN).all()
    assert steps.labels[~sure].tolist() == scores.argmax(axis=1)[~sure].tolist()


def test_it_stops_when_cancelled(head: OpenVinoHead):
    class Cancelled:
        def is_set(self) -> bool:
            return True

        def wait(self, timeout: float | None = None) -> bool:
            return True

    with pytest.raises(ReadCancelled):
        head.steps(lines(scale=1), "full", Cancelled())


def test_steps_have_the_types_they_say(head: OpenVinoHead):
    (steps,) = head.steps(lines(scale=1)[:1], "full", NOBODY)
    assert isinstance(steps, Steps)
    assert (steps.labels.dtype, steps.probabilities.dtype) == (np.int32, np.float32)


def test_many_steps_in_doubt_are_asked_about_in_pieces(head: OpenVinoHead):
    some = [CHANCE.normal(size=(3 * ROWS[-1] + 5, 8)).astype(np.float32)]
    (steps,) = head.steps(some, "full", NOBODY)
    assert steps.labels.tolist() == softmax(some[0]).argmax(axis=1).tolist()
