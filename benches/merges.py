"""The whole job against the peers: change sets into copies of one customer base, from CSV to commit, in turn.

    python merges.py data/base.csv data/one/changes.csv data/two/changes.csv --sluice target/release/sluice --rounds 3

Each round copies the base as each program keeps it, and ingests the files into the copy in the order given. A file
that is named twice is a repeat. The copy is not timed, and read once, so that disks do not count.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import timing

PEERS = {"duckdb": ("duckdb_merge.py", "customers.duckdb"), "polars": ("polars_rewrite.py", "customers.parquet")}
"""The program of each peer, and what it calls its customers."""

HERE = Path(__file__).parent / "peers"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="base.csv of sluice generate")
    parser.add_argument("csv", nargs="+", help="change sets, ingested one after the other")
    parser.add_argument("--sluice", required=True, help="the program, a release build")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), help="which of them run [duckdb polars]")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program [3]")
    parser.add_argument("--options", default="", help="further options of sluice ingest, such as --memory 2GB")
    parser.add_argument("--work", help="folder for bases and copies; kept, and used again if the bases are there")
    parser.add_argument("--json", action="store_true", help="print an object instead of a table")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("at least one round")
    return options


class Program:
    """One that keeps customers: its base is made once, each round works on a copy."""

    def __init__(self, name, work):
        self.name, self.pristine, self.copy = name, work / f"{name}-base", work / f"{name}-copy"

    def renew(self):
        """A fresh copy of the base, in the page cache."""
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.pristine, self.copy)
        for path in self.copy.rglob("*"):
            if path.is_file():
                timing.warm(path)

    def build(self, base):
        """The base, unless it is there."""
        if not self.pristine.exists():
            self.pristine.mkdir(parents=True)
            self.make(base)


class Sluice(Program):
    def __init__(self, program, work, options):
        super().__init__("sluice", work)
        self.program, self.options = program, options

    def make(self, base):
        parquet = base.with_suffix(".parquet")
        source = parquet if parquet.exists() else base
        timing.succeeds([self.program, "init", self.pristine / "i", "--from", source, "--key", "customer_id"])

    def ingest(self, csv):
        attributes = [word for attribute in timing.ATTRIBUTES for word in ("--attribute", attribute)]
        return timing.measured(
            [self.program, "-i", self.copy / "i", "ingest", csv, "--key", "cid", *attributes, "--name", "race",
             "--force", "--output", "json", "--quiet", *self.options])


class Peer(Program):
    def __init__(self, name, work):
        super().__init__(name, work)
        self.script, self.target = PEERS[name]

    def make(self, base):
        timing.succeeds([sys.executable, HERE / self.script, "-", self.pristine / self.target, "--base", base])

    def ingest(self, csv):
        sample = timing.measured([sys.executable, HERE / self.script, csv, self.copy / self.target,
                                  "--rejects", self.copy / "rejects.parquet"])
        sample.seconds = sample.report["total_seconds"]
        return sample


def race(options, work):
    """Samples by step and program."""
    programs = [Sluice(options.sluice, work, options.options.split()), *(Peer(name, work) for name in options.peers)]
    for program in programs:
        program.build(Path(options.base))
    samples = [{program.name: [] for program in programs} for _ in options.csv]
    for number in range(1, options.rounds + 1):
        for program in programs:
            program.renew()
            for step, csv in enumerate(options.csv):
                timing.warm(csv)
                sample = program.ingest(csv)
                timing.check(program.name, sample.report, timing.expected(csv))
                samples[step][program.name].append(sample)
                print(f"round {number}, {csv}, {program.name}: {sample.seconds:.2f} s", file=sys.stderr)
            shutil.rmtree(program.copy)
    return [agreed(csv, step) for csv, step in zip(options.csv, samples)]


def agreed(csv, programs):
    """One step's medians; every program took as many rows."""
    taken = {name: accepted(samples[0].report) for name, samples in programs.items()}
    if len(set(taken.values())) > 1:
        raise timing.Wrong(f"{csv}: the programs do not agree how many rows went in: {taken}")
    size_bytes = os.path.getsize(csv)
    results = {name: timing.medians(samples, size_bytes) for name, samples in programs.items()}
    best = min((result["seconds"] for name, result in results.items() if name != "sluice"), default=None)
    ours = programs["sluice"]
    phases = [sample.report.get("phase_ms", {}) for sample in ours]
    return {"csv": csv, "rows": next(iter(taken.values())), "programs": results,
            "times_faster_than_the_best": best and round(best / results["sluice"]["seconds"], 2),
            "phase_ms": {name: statistics.median(p.get(name) or 0 for p in phases) for name in phases[0]}}


def accepted(report):
    return sum(report.get(count) or 0 for count in ("rows_updated", "rows_inserted", "rows_unchanged"))


def as_table(outcome):
    rows = [["change set", "program", "seconds", "fastest", "CPU s", "peak MB", "accepted", "to sluice"]]
    for step in outcome["steps"]:
        ours = step["programs"]["sluice"]["seconds"]
        for name, result in step["programs"].items():
            seconds = [f"{result[field]:.2f}" for field in ("seconds", "fastest_seconds", "cpu_seconds")]
            rows.append([Path(step["csv"]).parent.name, name, *seconds, f"{result['peak_rss_bytes'] / 1e6:.0f}",
                         str(step["rows"]), f"{result['seconds'] / ours:.2f}"])
    return f"{timing.table(rows)}\nmedians of {outcome['rounds']} rounds, load {outcome['load_average']:.1f}"


def main():
    options = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-merges-") as temporary:
            steps = race(options, Path(options.work or temporary))
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    outcome = {"base": options.base, "rounds": options.rounds, "load_average": os.getloadavg()[0], "steps": steps}
    print(json.dumps(outcome, indent=2) if options.json else as_table(outcome))


if __name__ == "__main__":
    main()
