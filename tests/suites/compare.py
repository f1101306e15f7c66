"""Reads every file of a folder with Sluice, and tells where it is wrong and where DuckDB reads it otherwise.

    python compare.py --sluice PROGRAM --folder FOLDER [--tests FOLDER] [--known FILE] [--report FILE] [NAME ...]

Of each file: its records as plain RFC 4180 without a header, whatever it is; its records under the options that
DuckDB's own tests read it with; how `preview` thinks it is written, beside DuckDB's own guess; its records under that
guess; and a run of the process that `preview` suggests, with its rejects. Records are checked byte by byte by
`rfc4180.py`, which shares nothing with the engine, and compared with DuckDB's under the same dialect.

A known difference is a line FILE, KIND, JUDGEMENT, WHY, divided by tabs; the judgement is `meant` (Sluice is right),
`wrong` (it is not, yet) or `n/a` (no CSV, or what Sluice has no option for). Any other difference makes the exit code 1,
and so does a known one that is gone.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from checks import Examination
from duckdb_tests import options_of_tests
from sluice import Sluice

MAX_BYTES = 4 << 20
SUFFIXES = {".csv", ".tsv", ".tbl", ".txt", ".gz", ".gzz", ".zst", ".data"}


def main():
    arguments = parse_arguments()
    files = [arguments.folder / name for name in arguments.names] or files_of(arguments.folder)
    given = options_of_tests(arguments.tests) if arguments.tests else {}
    known, report = known_of(arguments.known), {}
    with tempfile.TemporaryDirectory() as scratch:
        sluice = Sluice(arguments.sluice, Path(scratch) / "instance")
        for number, file in enumerate(files):
            name = str(file.relative_to(arguments.folder))
            examination = Examination(sluice, file)
            examination.run(given.get(name, []), f"p{number}")
            report[name] = examination.facts | {"differences": examination.differences}
            for kind, what in examination.differences:
                if (name, kind) not in known:
                    print(f"{name}: {kind}: {what}", flush=True)
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=1, default=str), encoding="utf-8")
    found = {(name, kind) for name in report for kind, _ in report[name]["differences"]}
    gone = {(name, kind) for name, kind in known.keys() - found if name in report}
    for name, kind in sorted(gone):
        print(f"{name}: {kind}: no longer differs; it was known as {known[name, kind]}")
    counts = Counter(judgement_of(report[name]["differences"], name, known) for name in report)
    print(f"{len(files)} files: " + ", ".join(f"{count} {judgement}" for judgement, count in sorted(counts.items())))
    sys.exit(bool(gone or found - known.keys()) or not files)


def judgement_of(differences, name, known):
    """Of the judgements on a file's differences, the worst."""
    judgements = {known.get((name, kind), "unknown") for kind, _ in differences}
    return next((worst for worst in ("unknown", "wrong", "meant", "n/a") if worst in judgements), "same")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", default="sluice", help="the program")
    parser.add_argument("--folder", type=Path, required=True, help="the files")
    parser.add_argument("--tests", type=Path, help="the tests of DuckDB that read them")
    parser.add_argument("--known", type=Path, help="differences that are meant")
    parser.add_argument("--report", type=Path, help="where to write all that was found, as JSON")
    parser.add_argument("names", nargs="*", help="files within the folder; left out, all")
    return parser.parse_args()


def files_of(folder):
    """The files of text, compressed or not, that are small enough to be judged here."""
    is_meant = lambda file: file.is_file() and file.suffix in SUFFIXES and file.stat().st_size <= MAX_BYTES
    return sorted(file for file in folder.rglob("*") if is_meant(file))


def known_of(file):
    """The judgement on each known difference."""
    lines = file.read_text(encoding="utf-8").splitlines() if file else []
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(name, kind): judgement for name, kind, judgement, _ in rows}


if __name__ == "__main__":
    main()
