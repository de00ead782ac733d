"""Figures by group and engine, and the Markdown table that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from benchmarks.readers import Result
from benchmarks.samples import Sample
from benchmarks.score import Score, score

HEADER = (
    *("group", "pages", "engine", "CPU-s/page", "× ours"),
    *("CER mean", "median", "max", "word F1", "first line"),
)


@dataclass(frozen=True)
class Row:
    """What one engine did on one group.

    Attributes:
        group: `all` for every sample.
        pages: how many page images.
        engine: its name.
        cpu_seconds: user and system time of all threads, for one page on average.
        times_ours: that as a multiple of our engine's; None where ours was not measured.
        error_mean: character error, each sample weighing the same.
        error_median: the same of the sample in the middle.
        error_max: the same of the worst sample.
        word_f1: mean over samples; blind to reading order.
        first_line: when the first text came, as a share of a page's wall time.
    """

    group: str
    pages: int
    engine: str
    cpu_seconds: float
    times_ours: float | None
    error_mean: float
    error_median: float
    error_max: float
    word_f1: float
    first_line: float

    def cells(self) -> tuple[str, ...]:
        """Return the row as the table shows it."""
        times = "" if self.times_ours is None else f"{self.times_ours:.2f}"
        errors = (self.error_mean, self.error_median, self.error_max)
        return (
            *(self.group, str(self.pages), self.engine, f"{self.cpu_seconds:.2f}", times),
            *(f"{error:.4f}" for error in errors),
            f"{self.word_f1:.3f}",
            f"{self.first_line:.0%}",
        )


def rows(samples: Sequence[Sample], results: dict[str, list[Result]]) -> list[Row]:
    """Return a row for each group and engine, `all` first, groups in order of appearance.

    The results of an engine stand in the order of the samples.
    """
    scored = {
        engine: [
            (result, score(sample.text, result.text))
            for sample, result in zip(samples, read, strict=True)
        ]
        for engine, read in results.items()
    }
    groups = ["all", *dict.fromkeys(group for sample in samples for group in sample.groups)]
    found: list[Row] = []
    for group in groups:
        chosen = [n for n, sample in enumerate(samples) if group in ("all", *sample.groups)]
        ours: float | None = None
        for engine, pairs in scored.items():
            cost = _cpu_seconds([pairs[n][0] for n in chosen])
            if ours is None and engine.startswith("ours"):
                ours = cost
            times = None if ours is None else cost / ours
            found.append(_row(group, engine, times, [pairs[n] for n in chosen]))
    return found


def table(found: Sequence[Row]) -> str:
    """Return the rows as a Markdown table whose columns also line up as plain text."""
    return aligned([HEADER, *(row.cells() for row in found)], left={0, 2})


def aligned(lines: Sequence[tuple[str, ...]], left: set[int]) -> str:
    """Return lines, the header first, as a Markdown table; columns in `left` begin at the left."""
    columns = range(len(lines[0]))
    widths = [max(len(line[column]) for line in lines) for column in columns]
    rule = ["-" * width if n in left else "-" * (width - 1) + ":" for n, width in enumerate(widths)]
    text = [
        [cell.ljust(width) if n in left else cell.rjust(width) for n, (cell, width) in cells]
        for cells in (enumerate(zip(line, widths, strict=True)) for line in lines)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [text[0], rule, *text[1:]])


def _cpu_seconds(results: Sequence[Result]) -> float:
    return sum(r.cpu_seconds for r in results) / sum(r.pages for r in results)


def _row(
    group: str, engine: str, times_ours: float | None, pairs: Sequence[tuple[Result, Score]]
) -> Row:
    results = [result for result, _ in pairs]
    errors = [figures.character_error for _, figures in pairs]
    return Row(
        group,
        sum(result.pages for result in results),
        engine,
        _cpu_seconds(results),
        times_ours,
        fmean(errors),
        median(errors),
        max(errors),
        fmean(figures.word_f1 for _, figures in pairs),
        fmean(result.first_line_share for result in results),
    )
