"""CPU-seconds a page and character error of our engine and its peers, from one run.

    python -m benchmarks.engine --quick
    python -m benchmarks.engine --engines ours,tesseract --only small --dpi 150 --sets synthetic
    python -m benchmarks.engine --sets '' --folder DOCUMENTS --show 0.05

All engines read the same pages, each alone in a child process. CPU time is that process's own and
counts all threads; loading the models and one page to warm up are not counted. Besides the
synthetic pages it reads `../shared/corpus` where that is, and any `--folder` of documents with
`NAME.txt` beside them.
`ours:openvino:f32` among the engines asks for a backend and a precision, `ours:latin` tells the
language. `rapidocr-tuned` is RapidOCR set up by hand, `rapidocr-api` its HTTP service, which is
installed into `.build` on first use.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.pages import RESOLUTIONS
from benchmarks.rapidocr_service import ServiceMissing, installed
from benchmarks.readers import LOADERS, Result
from benchmarks.samples import Sample, documents, save, synthetic
from benchmarks.score import character_error, describe
from benchmarks.summary import summary
from benchmarks.tables import rows, table

ENGINES = ["ours", "ours:latin", *[engine for engine in LOADERS if engine != "ours"]]
CORPUS = Path("../shared/corpus")
"""Real documents, seen from the root of the repository."""
Write = Callable[[Path], list[Sample]]
"""Writes the pages of one set into a folder."""


def sets(options: argparse.Namespace) -> Iterator[tuple[str, Write]]:
    """Yield each set asked for with its title; say so where one is missing."""
    if "synthetic" in options.sets:
        resolutions = [options.dpi] if options.dpi else RESOLUTIONS
        yield (
            "Synthetic pages",
            lambda folder: synthetic(folder, resolutions, options.only, options.quick),
        )
    if "corpus" in options.sets and CORPUS.is_dir():
        yield "Real documents of ../shared/corpus", lambda folder: documents(folder, CORPUS)
    elif "corpus" in options.sets:
        print("There is no ../shared/corpus here, so real documents are skipped.")
    if options.folder:
        yield f"Documents of {options.folder}", lambda folder: documents(folder, options.folder)


def available(engines: list[str]) -> list[str]:
    """Return the engines without those this machine lacks, and say which those are."""
    if "rapidocr-api" in engines:
        try:
            installed()
        except ServiceMissing as error:
            print(f"rapidocr_api is left out: {error}.")
            engines = [engine for engine in engines if engine != "rapidocr-api"]
    if "tesseract" in engines and shutil.which("tesseract") is None:
        print("Tesseract is not installed here, so its figures are skipped.")
        return [engine for engine in engines if engine != "tesseract"]
    return engines


def read_all(engines: list[str], samples: list[Sample], folder: Path) -> dict[str, list[Result]]:
    """Read the samples with each engine in a process of its own, one after another."""
    save(folder, samples)
    results: dict[str, list[Result]] = {}
    for engine in engines:
        command = [sys.executable, "-m", "benchmarks.readers", engine, str(folder)]
        if subprocess.run(command, check=False).returncode != 0:
            print(f"{engine} failed, so its figures are left out.")
            continue
        lines = (folder / f"{engine}.jsonl").read_text(encoding="utf-8").splitlines()
        results[engine] = [Result(**json.loads(line)) for line in lines]
    return results


def measured(title: str, write: Write, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one set, print its table, and return everything as plain objects."""
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as name:
        folder = Path(name)
        samples = write(folder)
        results = read_all(options.engines, samples, folder)
    found = rows(samples, results)
    print(f"\n## {title}\n\n{summary(results, found)}\n\n{table(found)}", flush=True)
    if options.show is not None:
        show(samples, results, options.show)
    texts = {engine: [vars(result) for result in read] for engine, read in results.items()}
    return {"title": title, "rows": [vars(row) for row in found], "results": texts}


def show(samples: list[Sample], results: dict[str, list[Result]], above: float) -> None:
    """Print what differs on every sample whose character error is above a limit."""
    references = {sample.name: sample.text for sample in samples}
    for engine, read in results.items():
        for result in read:
            reference = references[result.name]
            if character_error(reference, result.text) > above:
                print(f"\n{engine}, {result.name}: {describe(reference, result.text)}")


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only a few synthetic pages")
    parser.add_argument("--dpi", type=int, help="synthetic pages at this resolution, not at all")
    parser.add_argument("--only", metavar="GROUP", help="synthetic pages of one group, as `small`")
    parser.add_argument(
        "--engines", type=_listed, default=ENGINES, help=f"default {','.join(ENGINES)}"
    )
    parser.add_argument(
        "--sets", type=_listed, default=["synthetic", "corpus"], help="default synthetic,corpus"
    )
    parser.add_argument("--folder", type=Path, help="documents with NAME.txt beside them")
    parser.add_argument("--json", type=Path, help="write figures and recognized texts here")
    parser.add_argument(
        "--show", type=float, metavar="CER", help="print differences of pages above this error"
    )
    options = parser.parse_args()
    unknown = {engine.split(":")[0] for engine in options.engines} - set(LOADERS)
    if unknown:
        parser.error(f"unknown engine {', '.join(sorted(unknown))}; there are {', '.join(LOADERS)}")
    if not set(options.sets) <= {"synthetic", "corpus"}:
        parser.error("the sets are synthetic and corpus")
    return options


def _listed(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def main() -> None:
    """Measure every set asked for."""
    options = parsed()
    options.engines = available(options.engines)
    everything = [measured(title, write, options) for title, write in sets(options)]
    if options.json:
        text = json.dumps(everything, ensure_ascii=False, indent=1)
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
