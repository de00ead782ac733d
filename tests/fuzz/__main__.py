"""Sends thousands of hostile documents to a server of its own, and says what came of each.

    python -m tests.fuzz                            5,000 of a new seed, which is printed
    python -m tests.fuzz --seed 7 --cases 300
    python -m tests.fuzz --seed 7 --only 213        one of them, again
    python -m tests.fuzz --corpus FOLDER            your own files as well, as they are and damaged

The exit code is 1 if the server died, left something behind, or ended a call as the README does not
say. What did that is written to a folder (`--out`), with its seed and number in the name.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.fuzz.cases import Case, Cases
from tests.fuzz.run import MIB, READER_MEMORY, Result, attack, attacked
from tests.fuzz.verdict import Ended

SLOWEST = 10


class Report:
    """Prints a line for each hundred cases, and keeps those that went wrong."""

    def __init__(self, seed: int, total: int, out: Path) -> None:
        self._seed, self._total, self._out = seed, total, out
        self._began = time.monotonic()
        self._count = self._bad = 0

    def seen(self, case: Case, ended: Ended) -> None:
        self._count += 1
        if ended.problems:
            self._bad += 1
            self._out.mkdir(parents=True, exist_ok=True)
            (self._out / f"{self._seed}-{case.index}").write_bytes(case.content)
            about = f"{case.method} {case.file_name[:60]!r} {str(case.options).split()}"
            print(f"BAD  {case.index} {case.name} ({about[:200]}): {ended.problems}", flush=True)
        if self._count % 100 == 0 or self._count == self._total:
            seconds = time.monotonic() - self._began
            print(f"     {self._count} cases, {seconds:.0f} s, {self._bad} bad", flush=True)

    def sum_up(self, result: Result) -> None:
        """Print how many ended in which way, and the slowest."""
        groups: dict[tuple[str, str], list[float]] = defaultdict(list)
        pages: Counter[str] = Counter()
        for _, ended in result.ended:
            groups[ended.code, ended.reason].append(ended.seconds)
            pages += ended.pages
        print(f"\n{'status':22} {'reason':28} {'cases':>6} {'slowest':>8}")
        for (code, reason), times in sorted(groups.items(), key=lambda it: -len(it[1])):
            print(f"{code:22} {reason:28} {len(times):6} {max(times):7.1f}s")
        for reason, count in pages.most_common():
            print(f"{'of pages':22} {reason:28} {count:6}")
        print("\nslowest:")
        slowest = sorted(result.ended, key=lambda it: -it[1].seconds)[:SLOWEST]
        for case, ended in slowest:
            print(f"{ended.seconds:7.1f}s {case.index:6} {case.name}: {ended.code} {ended.reason}")
        if (watch := result.watch) is not None:
            print(
                f"\nresident at most: {watch.peak_bytes / MIB:.0f} MiB in all, one child "
                f"{watch.peak_child_bytes / MIB:.0f} MiB (bound {READER_MEMORY / MIB:.0f}); "
                f"the server grew by {watch.server_growth_bytes / MIB:.0f} MiB"
            )
        for problem in result.problems:
            print(f"BAD  {problem}")


def main() -> None:
    """Run, report, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--only", type=int, help="the number of one case")
    parser.add_argument("--corpus", type=Path, help="a folder of files")
    parser.add_argument("--out", type=Path, default=Path(".build/fuzz"))
    given = parser.parse_args()
    corpus = (
        [path for path in sorted(given.corpus.rglob("*")) if path.is_file()] if given.corpus else []
    )
    cases = Cases(given.seed, given.cases, corpus)
    indexes = range(cases.count) if given.only is None else [given.only]
    print(f"seed {given.seed}, {len(indexes)} cases", flush=True)
    report = Report(given.seed, len(indexes), given.out)
    with (
        tempfile.TemporaryDirectory(prefix="ocr-fuzz-") as folder,
        attacked(Path(folder)) as served,
    ):
        result = asyncio.run(attack(served, cases, indexes, report.seen))
        report.sum_up(result)
    if result.bad or result.problems:
        sys.exit(f"\n{len(result.bad)} bad cases, in {given.out}; seed {given.seed}")


if __name__ == "__main__":
    main()
