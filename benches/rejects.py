"""What bad rows cost: Sluice's dry run over files that differ in their share of bad rows alone, in turn.

    python rejects.py data/bad_0/changes.csv data/bad_1/changes.csv ... --sluice target/release/sluice

The first file is the one that the others are compared with.
"""

import argparse
import json
import os
import sys
import tempfile

import programs
import timing


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", nargs="+", help="files of sluice generate, the clean one first")
    parser.add_argument("--sluice", required=True, help="the program, a release build")
    parser.add_argument("--rounds", type=timing.positive, default=3, help="runs over each file [3]")
    parser.add_argument("--json", action="store_true", help="print an object instead of a table")
    return parser.parse_args()


def compare(options):
    """Medians by file, and each one's time by that of the first."""
    samples = {csv: [] for csv in options.csv}
    with tempfile.TemporaryDirectory(prefix="sluice-rejects-") as work:
        sluice = programs.Sluice(options.sluice, work)
        sluice.renew("none", None)
        for _ in range(options.rounds):
            for csv, found in samples.items():
                timing.warm(csv)
                found.append(sluice.validate(csv))
                timing.check(csv, found[-1].report, timing.expected(csv))
    results = {}
    for csv, found in samples.items():
        result = timing.medians(found, os.path.getsize(csv))
        rows_read = found[0].report["rows_read"]
        result["bad_percent"] = round(100 * result["rows_rejected"] / max(rows_read, 1), 3)
        first = next(iter(results.values()), result)
        result["ratio"] = round(result["seconds"] / first["seconds"], 2)
        results[csv] = result
    return {"rounds": options.rounds, "load_average": os.getloadavg()[0], "files": results}


def as_table(outcome):
    rows = [["bad rows", "rejected", "seconds", "fastest", "CPU s", "GB/s", "peak MB", "ratio"]]
    for result in outcome["files"].values():
        seconds = [f"{result[field]:.2f}" for field in ("seconds", "fastest_seconds", "cpu_seconds", "gb_per_second")]
        rows.append([f"{result['bad_percent']:g} %", str(result["rows_rejected"]), *seconds,
                     f"{result['peak_rss_bytes'] / 1e6:.0f}", f"{result['ratio']:.2f}"])
    return f"{timing.table(rows)}\nmedians of {outcome['rounds']} rounds, load {outcome['load_average']:.1f}"


def main():
    options = arguments()
    try:
        outcome = compare(options)
    except timing.Wrong as problem:
        sys.exit(str(problem))
    print(json.dumps(outcome, indent=2) if options.json else as_table(outcome))


if __name__ == "__main__":
    main()
