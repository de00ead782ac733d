"""What a reader wants first of a run: a line for each engine, and how ours compares."""

from collections.abc import Sequence

from benchmarks.readers import Result
from benchmarks.tables import Row, aligned

HEADER = ("engine", "CPU-s/page", "pages/s", "CER mean", "CER worst", "word F1")
GOALS = {"rapidocr": 8.0, "rapidocr-tuned": 2.0, "tesseract": 1.0, "rapidocr-api": 8.0}
"""At least so many times our CPU-seconds others should take on a machine with AMX."""


def summary(results: dict[str, list[Result]], found: Sequence[Row]) -> str:
    """Return a table with a line for each engine over all samples, and our ratios to the others.

    Args:
        results: of each engine, every sample once.
        found: the rows of the large table; those of the group `all` are used.
    """
    whole = {row.engine: row for row in found if row.group == "all"}
    lines = [HEADER]
    for engine, row in whole.items():
        figures = (row.error_mean, row.error_max)
        speed = row.pages / sum(result.wall_seconds for result in results[engine])
        errors = (f"{figure:.4f}" for figure in figures)
        lines.append(
            (engine, f"{row.cpu_seconds:.2f}", f"{speed:.2f}", *errors, f"{row.word_f1:.3f}")
        )
    return "\n".join([aligned(lines, left={0}), "", *_ratios(whole)])


def _ratios(whole: dict[str, Row]) -> list[str]:
    """Return a line for each of our runs and each other engine."""
    others = [row for engine, row in whole.items() if engine in GOALS]
    lines: list[str] = []
    for ours in (row for engine, row in whole.items() if engine.startswith("ours")):
        for other in others:
            ratio, goal = other.cpu_seconds / ours.cpu_seconds, GOALS[other.engine]
            judged = "reached" if ratio >= goal else "missed"
            lines.append(
                f"{other.engine} takes {ratio:.1f} times the CPU-seconds of {ours.engine} "
                f"(goal {goal:.0f}, {judged}), with a character error "
                f"of {other.error_mean:.4f} against {ours.error_mean:.4f}."
            )
    return lines
