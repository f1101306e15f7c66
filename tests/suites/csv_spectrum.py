"""Reads files of a suite that others wrote and compares every value with the suite's own JSON.

    python csv_spectrum.py [--sluice PROGRAM] [--folder FOLDER]

Without a folder the suite is csv-spectrum, which `npm pack` downloads; nothing of it is kept. A folder holds
`csvs/NAME.csv` (or `csv/`) and `json/NAME.json`: a list of objects (one alone may stand for itself) for a file with a
header, a list of lists for one without. A file without JSON is damaged on purpose: it must give a malformed record, or
no record at all.

An empty field is NULL in Sluice, so the two count as equal here.
"""

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "csv-spectrum@2.0.0"
POSITIONS = ["record_no", "line", "byte_start", "byte_len"]

# Files that Sluice means to read otherwise, and why; docs/csv-suites.md.
KNOWN = {
    "location_coordinates.csv": "a quote inside an unquoted field is malformed",
    "all-empty.csv": "a line of no bytes is no record",
    "empty-one-column.csv": "a line of no bytes is no record",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", default="sluice", help="the program")
    parser.add_argument("--folder", type=Path, help="a suite that is here already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        folder = arguments.folder or download(scratch)
        instance = scratch / "instance"
        subprocess.run([arguments.sluice, "init", "--quiet", instance], check=True, stdout=subprocess.DEVNULL)
        files = sorted([*folder.glob("csv/*.csv"), *folder.glob("csvs/*.csv")])
        problems = [(file.name, problem) for file in files for problem in check(arguments.sluice, instance, file)]
    for name, problem in problems:
        print(f"{name}: {KNOWN.get(name, problem)}")
    differing = {name for name, _ in problems}
    print(f"{len(files)} files, {len(differing)} read otherwise, {len(differing & KNOWN.keys())} of them as meant")
    sys.exit(not files or not differing <= KNOWN.keys())


def download(folder):
    """The suite as npm has it."""
    packed = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True)
    with tarfile.open(folder / packed.stdout.strip()) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def check(sluice, instance, file):
    """What Sluice and the suite say differently of a file, one text a difference."""
    expected_file = file.parent.parent / "json" / f"{file.stem}.json"
    if not expected_file.exists():
        seen = read(sluice, instance, file, has_header=True)
        is_noticed = isinstance(seen, str) or not seen or any(row["malformed"] for row in seen)
        return [] if is_noticed else [f"damage that went unnoticed: {seen}"]
    expected = json.loads(expected_file.read_text(encoding="utf-8"))
    if isinstance(expected, dict):
        expected = [expected]
    has_header = not expected or isinstance(expected[0], dict)
    seen = read(sluice, instance, file, has_header)
    if isinstance(seen, str):
        return [f"an error: {seen}"]
    if any(row["malformed"] for row in seen):
        return ["a malformed record"]
    seen = [values_of(row) for row in seen]
    expected = [values_of(row) if has_header else dict(enumerate(null_if_empty(value) for value in row)) for row in expected]
    if not has_header:
        seen = [dict(enumerate(row.values())) for row in seen]
    return [] if seen == expected else [f"{seen} where {expected} was expected"]


def read(sluice, instance, file, has_header):
    """The rows of a file, or the error."""
    header = "" if has_header else ", 'header', 'false'"
    query = f"SELECT * FROM source('{file.resolve()}'{header}) ORDER BY record_no"
    command = [sluice, "-i", instance, "--output", "json", "sql", query]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def values_of(row):
    """The file's own columns."""
    return {name: null_if_empty(value) for name, value in row.items() if name not in [*POSITIONS, "malformed"]}


def null_if_empty(value):
    return None if value == "" else value


if __name__ == "__main__":
    main()
