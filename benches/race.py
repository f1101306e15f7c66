"""The validation race: Sluice's dry run against the same rules in DuckDB and Polars, in turn.

    python race.py data/changes.csv --sluice target/release/sluice --rounds 5

Run it with the Python that has the peers installed. The file is read once before, so disks do not count.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import timing

PEERS = Path(__file__).parent / "peers"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", help="changes.csv of sluice generate")
    parser.add_argument("--sluice", help="the program, a release build; left out, the peers run among themselves")
    parser.add_argument("--peers", nargs="*", default=["duckdb", "polars"], help="which of them run [duckdb polars]")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program [3]")
    parser.add_argument("--expect-rejected", type=int, help="bad records [from the .json beside the file]")
    parser.add_argument("--json", action="store_true", help="print an object instead of a table")
    options = parser.parse_args()
    if options.rounds < 1 or not (options.sluice or options.peers):
        parser.error("nothing to run: give --sluice or --peers, and at least one round")
    return options


def peer(name, csv):
    """A peer's validation, by its own clock: Python's start and imports do not count against it."""
    sample = timing.measured([sys.executable, str(PEERS / f"{name}_validate.py"), csv])
    sample.seconds = sample.report["total_seconds"]
    return sample


def programs(options, instance, facts):
    """What runs, by name; each run checks its count of rejects."""
    def checked(name, run):
        sample = run()
        timing.check(name, sample.report, facts)
        return sample

    runs = {}
    if options.sluice:
        runs["sluice"] = lambda: checked("sluice", lambda: timing.dry_run(options.sluice, instance, options.csv))
    for name in options.peers:
        runs[name] = lambda name=name: checked(name, lambda: peer(name, options.csv))
    return runs


def race(options):
    """Runs everything; medians by program, and each one's time by that of the first."""
    facts = timing.expected(options.csv, options.expect_rejected)
    size_bytes = timing.warm(options.csv)
    if options.sluice:
        with timing.sluice_instance(options.sluice) as instance:
            samples = timing.in_turn(programs(options, instance, facts), options.rounds)
    else:
        samples = timing.in_turn(programs(options, None, facts), options.rounds)
    results = {name: timing.medians(runs, size_bytes) for name, runs in samples.items()}
    first = next(iter(results.values()))["seconds"]
    for result in results.values():
        result["ratio"] = round(result["seconds"] / first, 2)
    return {"file": options.csv, "size_bytes": size_bytes, "rounds": options.rounds, "expected": facts,
            "load_average": os.getloadavg()[0], "programs": results}


def as_table(outcome):
    rows = [["program", "seconds", "fastest", "process", "CPU s", "GB/s", "peak MB", "rejected", "ratio"]]
    for name, result in outcome["programs"].items():
        seconds = [f"{result[field]:.2f}" for field in ("seconds", "fastest_seconds", "process_seconds", "cpu_seconds")]
        rows.append([name, *seconds, f"{result['gb_per_second']:.2f}", f"{result['peak_rss_bytes'] / 1e6:.0f}",
                     str(result["rows_rejected"]), f"{result['ratio']:.2f}"])
    rounds, load = outcome["rounds"], outcome["load_average"]
    return f"{timing.table(rows)}\nmedians of {rounds} rounds, {outcome['size_bytes'] / 1e6:.0f} MB, load {load:.1f}"


def main():
    options = arguments()
    try:
        outcome = race(options)
    except timing.Wrong as problem:
        sys.exit(str(problem))
    print(json.dumps(outcome, indent=2) if options.json else as_table(outcome))


if __name__ == "__main__":
    main()
