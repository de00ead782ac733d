"""Sets of pages, as numbers, as ranges, and as they are written."""

from collections.abc import Iterable, Sequence

from ocr_grpc.extraction.options import parse_ranges

CHUNK_PAGES = 16
"""Pages of a chunk at most: short enough that callers take turns, and little is lost with a
process; long enough that opening the document costs little beside them."""


def chunks_of(pages: Sequence[range], size: int) -> list[list[int]]:
    """Return pages in order, in lists of `size`; at least one list, which may be empty."""
    numbers = [number for part in pages for number in part]
    return [numbers[at : at + size] for at in range(0, max(1, len(numbers)), size)]


def written(numbers: Iterable[int]) -> str:
    """Return ascending numbers as options write them, such as `1-3,7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def numbers_of(pages: str) -> list[int]:
    """Return the numbers in what `written` gave."""
    return [number for low, high in parse_ranges(pages) for number in range(low, (high or low) + 1)]
