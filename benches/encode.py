"""What the encoding of files costs and saves: size on disk against load, merge, scan and lookup.

    python encode.py --sluice target/release/sluice --base base.csv first.csv changes.csv

Every setting of `[write]` gets an instance of its own. The base is loaded into it, change sets before the last are
merged, and then are timed: the last change set into a fresh copy, a query over every column, and lookups of single
customers. Settings take turns, round by round; medians. All must give the same answers. `encodings.json` keeps the
figures. Files of `sluice generate DIR --customers N --attributes A --rows N/100 --seed S`.
"""

import argparse
import csv
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import programs
import timing

SETTINGS = {
    "as it is": "",
    "zstd(3)": 'compression = "zstd(3)"',
    "zstd(6)": 'compression = "zstd(6)"',
    "zstd(12)": 'compression = "zstd(12)"',
    "lz4": 'compression = "lz4"',
    "snappy": 'compression = "snappy"',
    "none": 'compression = "none"',
    "no dictionary": 'dictionary = "off"',
    "lz4, no dictionary": 'compression = "lz4"\ndictionary = "off"',
    "dictionaries of 16 KiB": "dictionary_bytes = 16384",
    "dictionaries of 256 KiB": "dictionary_bytes = 262144",
    "dictionaries of 1 MiB": "dictionary_bytes = 1048576",
    "pages of 1,024": "page_rows = 1024",
    "pages of 8,192": "page_rows = 8192",
    "pages of 32,768": "page_rows = 32768",
    "groups of 32,768": "row_group_rows = 32768",
    "groups of 524,288": "row_group_rows = 524288",
    "groups of 1,048,576": "row_group_rows = 1048576",
}
"""What stands in `[write]`."""

TYPES = {
    "segment": "string", "first_order": "date", "lifetime_value": "decimal(18,2)", "last_visit": "timestamp",
    "visits": "int", "subscribed": "boolean", "balance": "bigint", "churn_score": "double", "region": "string",
    "remark": "string",
}
"""Types of the base's columns, by the stem of their name."""

LOOKUPS = 10
FIGURES = [f"{step}_{kind}" for step in ("load", "merge", "scan", "lookup") for kind in ("seconds", "cpu_seconds")]
"""What is measured of each round; processor seconds are what a busy machine distorts least."""


@dataclass
class Figures:
    """What one setting costs, a number a round."""

    write: str
    rounds: dict = field(default_factory=lambda: {name: [] for name in FIGURES})
    disk_bytes: int = 0
    load_peak_bytes: list = field(default_factory=list)
    ways: dict = field(default_factory=dict)

    def add(self, step, samples):
        """A round of a step, which can be several runs."""
        for kind in ("seconds", "cpu_seconds"):
            self.rounds[f"{step}_{kind}"].append(statistics.median(getattr(sample, kind) for sample in samples))

    def medians(self):
        numbers = {name: round(statistics.median(each), 4) for name, each in self.rounds.items()}
        peak = int(statistics.median(self.load_peak_bytes))
        return {"write": self.write, **numbers, "disk_bytes": self.disk_bytes, "load_peak_bytes": peak,
                "ways": self.ways}


class Bench:
    """The files, and a folder for an instance at a time."""

    def __init__(self, options, folder):
        self.options, self.instance, self.copy = options, folder / "instance", folder / "copy"
        self.sluice = programs.Sluice(options.sluice, folder)
        with open(options.base, newline="") as base:
            self.key, *self.columns = next(csv.reader(base))
            self.ids = [row[0] for row, _ in zip(csv.reader(base), range(1000))]
        self.answers = {}

    def round(self, figures):
        """All figures of one setting once."""
        shutil.rmtree(self.instance, ignore_errors=True)
        timing.succeeds([self.options.sluice, "init", self.instance])
        with open(self.instance / "sluice.toml", "a") as config:
            config.write(f"[limits]\nattributes_per_process = {max(len(self.columns), 10)}\n"
                         f"attributes_per_instance = {len(self.columns) + 10}\n"
                         f'[maintenance]\nauto = "off"\n[write]\n{figures.write}\n')
        timing.warm(self.options.base)
        loaded = self.load()
        figures.add("load", [loaded])
        figures.load_peak_bytes.append(loaded.peak_rss_bytes)
        figures.disk_bytes = sum(path.stat().st_size for path in self.files(self.instance, "customers/*.parquet"))
        *first, last = self.options.changes
        for changes in first:
            self.merge(self.instance, changes)
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.instance, self.copy)
        for path in (last, *self.files(self.copy, "**/*"), *self.files(self.instance, "**/*")):
            timing.warm(path)
        merged = self.merge(self.copy, last)
        figures.add("merge", [merged])
        figures.ways = {way["strategy"]: way["files"] for way in (merged.report.get("merge") or {}).get("ways", [])}
        every = ", ".join(f'count("{name}"), max("{name}")' for name in [self.key, *self.columns])
        figures.add("scan", [self.asked("scan", f"SELECT {every} FROM customers")])
        each = [self.asked(number, f"SELECT * FROM customers WHERE customer_id = '{self.customer(number)}'")
                for number in range(LOOKUPS)]
        figures.add("lookup", each)

    def load(self):
        """The whole base, every column an attribute."""
        attributes = [word for name in self.columns
                      for word in ("--attribute", f"{name}={TYPES[name.rsplit('_', 1)[0]]}")]
        sample = timing.measured(
            [self.options.sluice, "-i", self.instance, "ingest", self.options.base, "--key", self.key, *attributes,
             "--name", "base", "--output", "json", "--quiet"], limit_seconds=programs.LIMIT_SECONDS)
        self.same("load", {name: sample.report[name] for name in ("rows_read", "rows_inserted")})
        return sample

    def merge(self, instance, changes):
        sample = self.sluice.run(instance, changes)
        timing.check(str(changes), sample.report, timing.expected(changes))
        self.same(str(changes), {name: sample.report[name] for name in ("rows_inserted", "rows_updated", "cells_changed")})
        return sample

    def asked(self, name, query):
        """A query whose answer is the same under all settings."""
        sample = timing.measured([self.options.sluice, "-i", self.instance, "sql", query, "--output", "json"])
        self.same(name, sample.report)
        return sample

    def same(self, name, answer):
        if self.answers.setdefault(name, answer) != answer:
            raise timing.Wrong(f"{name}: {answer} and, under another setting, {self.answers[name]}")

    def customer(self, number):
        return self.ids[number * len(self.ids) // LOOKUPS]

    @staticmethod
    def files(folder, pattern):
        return [path for path in folder.glob(pattern) if path.is_file()]


def turns(names, number, rounds):
    """The names, from another one on in each round: no setting always comes first."""
    first = number * len(names) // rounds
    return names[first:] + names[:first]


def measure(options, folder):
    bench = Bench(options, folder)
    every = {name: Figures(write) for name, write in SETTINGS.items() if not options.only or name in options.only}
    for number in range(options.rounds):
        for name in turns(list(every), number, options.rounds):
            bench.round(every[name])
            print(f"round {number + 1}, {name}", file=sys.stderr)
    return {name: figures.medians() for name, figures in every.items()}


def words(settings):
    steps = ("load", "merge", "scan", "lookup")
    rows = [["setting", "MB on disk", "MB held", *(f"{step} {unit}" for step in steps for unit in ("s", "cpu s"))]]
    rows += [[name, f"{of['disk_bytes'] / 1e6:.1f}", f"{of['load_peak_bytes'] / 1e6:.0f}",
              *(f"{of[figure]:.2f}" for figure in FIGURES)] for name, of in settings.items()]
    return timing.table(rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("changes", nargs="+", help="change sets; the last one is timed")
    parser.add_argument("--sluice", required=True, help="the program, a release build")
    parser.add_argument("--base", required=True, help="the customers, of sluice generate")
    parser.add_argument("--rounds", type=timing.positive, default=3, help="runs of each setting [3]")
    parser.add_argument("--only", nargs="*", choices=SETTINGS, help="settings [all]")
    parser.add_argument("--work", type=Path, help="folder for the instances [a temporary one]")
    parser.add_argument("--out", type=Path, help="encodings.json [only the table is printed, and the JSON]")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-encodings-", dir=options.work) as folder:
            settings = measure(options, Path(folder))
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    version = timing.printed([options.sluice, "--version"]).split()[-1]
    base, last = (Path(path).stat().st_size for path in (options.base, options.changes[-1]))
    figures = {"sluice": version, "rounds": options.rounds, "base_bytes": base, "changes_bytes": last,
               "settings": settings}
    print(words(settings), file=sys.stderr)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
