"""The last layer of the recognizer, asked only for the characters that come into question.

All 18,710 scores of every step are a quarter of a line's time. But a step where the blank or a
Latin character has a score no other character ever reached needs no more of them, and that is
nearly every step of Latin print and most steps of any other: blanks between characters.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr_grpc.engines.engine import Cancellation
from ocr_grpc.engines.ppocr import openvino_graphs as graphs
from ocr_grpc.engines.ppocr.backend import AlphabetName, Steps
from ocr_grpc.engines.ppocr.openvino_graphs import Head
from ocr_grpc.engines.ppocr.openvino_runs import run

SURE = 21.5
"""A score that leaves no doubt. On 113,000 steps of Chinese and Japanese print, sharp, small, noisy
and faint, another character won 16,431 times, and only once over a blank or Latin one of more
than this. It spares 97 % of the blanks and two thirds of the letters of Latin print."""
PARTS = 4
"""Parts of all other characters: fewer overflow the cache, more cost calls (measured)."""
ROWS = (8, 16, 24, 32, 48, 64, 96, 128, 192)
"""How many steps are asked about at once, padded: OpenVINO keeps memory for every count it sees."""

Scores = NDArray[np.float32]


class OpenVinoHead:
    """Finds the best character of each step."""

    def __init__(
        self, head: Head, latin: NDArray[np.int32], compiled: Callable[[Any], Any]
    ) -> None:
        """Compile the layer in parts.

        Args:
            head: the whole layer.
            latin: (n,) the labels that belong to Latin print, ascending, the blank first.
            compiled: makes an inference request of a graph.
        """
        self._latin = latin
        others = np.setdiff1d(np.arange(head.bias.size, dtype=np.int32), latin)
        edges = np.linspace(0, len(others), PARTS + 1).astype(int).tolist()
        self._labels = [others[slice(*edge)] for edge in pairwise(edges)]
        # Contiguous copies: a product with a slice of the whole matrix copies it every time.
        self._parts = [head.part(labels) for labels in self._labels]
        self._latin_request = compiled(graphs.scores_graph(head.part(latin)))
        self._others_request = compiled(graphs.greatest_graph(self._parts))

    def steps(
        self, lines: list[Scores], alphabet: AlphabetName, cancellation: Cancellation
    ) -> list[Steps]:
        """Return the best label of each step of some strips, each (steps, features).

        All of them are asked about the other characters at once: what such a call costs is mostly
        the reading of 18,000 characters' weights.
        """
        firsts = [self._latin_steps(features, cancellation) for features in lines]
        steps = [first for first, _ in firsts]
        if alphabet == "full":
            unsure = [np.flatnonzero(top < SURE) for _, top in firsts]
            rows = [features[some] for features, some in zip(lines, unsure, strict=True)]
            if sum(map(len, rows)):
                tops = [top[some] for (_, top), some in zip(firsts, unsure, strict=True)]
                self._put_others(rows, tops, unsure, steps, cancellation)
        return steps

    def _latin_steps(self, features: Scores, cancellation: Cancellation) -> tuple[Steps, Scores]:
        """Return the best of the Latin labels, and (steps,) their scores."""
        scores: Scores = run(self._latin_request, features, cancellation)[0]
        places = scores.argmax(axis=1)
        top = scores[np.arange(len(scores)), places]
        labels = self._latin[places]
        probabilities = np.ones(len(features), np.float32)
        # The softmax of what was scored; what was not adds less than can be seen.
        said = np.flatnonzero(labels)
        probabilities[said] = 1 / np.exp(scores[said] - top[said, None]).sum(axis=1)
        return Steps(labels, probabilities), top

    def _put_others(
        self,
        rows: list[Scores],
        tops: list[Scores],
        unsure: list[NDArray[np.intp]],
        steps: list[Steps],
        cancellation: Cancellation,
    ) -> None:
        """Put in the characters that beat the Latin ones.

        Args:
            rows: for each strip, (n, features) of the steps in question.
            tops: (n,) the greatest score of the Latin ones there.
            unsure: (n,) which steps they are.
            steps: of each strip; are changed.
            cancellation: as everywhere.
        """
        features, top = np.concatenate(rows), np.concatenate(tops)
        best = self._greatest(features, cancellation)
        labels, probabilities = self._others(features, top, best)
        place = 0
        for some, line in zip(unsure, steps, strict=True):
            part = slice(place, place + len(some))
            beaten = labels[part] > 0
            line.labels[some[beaten]] = labels[part][beaten]
            line.probabilities[some[beaten]] = probabilities[part][beaten]
            place += len(some)

    def _greatest(self, features: Scores, cancellation: Cancellation) -> Scores:
        """Return (n, parts) the greatest score of each part of the others."""
        best: list[Scores] = []
        for start in range(0, len(features), ROWS[-1]):
            some = features[start : start + ROWS[-1]]
            count = next(rows for rows in ROWS if rows >= len(some))
            padded = np.zeros((count, features.shape[1]), np.float32)
            padded[: len(some)] = some
            best.append(run(self._others_request, padded, cancellation)[0][: len(some)].copy())
        return np.concatenate(best)

    def _others(
        self, features: Scores, top: Scores, best: Scores
    ) -> tuple[NDArray[np.int32], Scores]:
        """Return the label and probability of each step where one beats the Latin ones, else 0.

        Args:
            features: (n, features).
            top: (n,) the greatest score of the Latin ones.
            best: (n, parts) the greatest score of each part of the others.
        """
        labels, probabilities = np.zeros(len(top), np.int32), np.zeros(len(top), np.float32)
        winners = best.argmax(axis=1)
        winners[best.max(axis=1) <= top] = -1
        for part in range(len(self._parts)):
            rows = np.flatnonzero(winners == part)
            if not len(rows):
                continue
            scores = self._parts[part].scores(features[rows])
            labels[rows] = self._labels[part][scores.argmax(axis=1)]
            greatest = scores.max(axis=1, keepdims=True)
            # Each of the other parts stands as its greatest member.
            rest = np.exp(np.delete(best[rows], part, axis=1) - greatest).sum(axis=1)
            rest += np.exp(top[rows] - greatest[:, 0])
            probabilities[rows] = 1 / (np.exp(scores - greatest).sum(axis=1) + rest)
        return labels, probabilities
