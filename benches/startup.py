"""How long the program takes to do nothing: help, an empty query, an empty table. With it, size and dependencies.

    python benches/startup.py --sluice target/release/sluice --out docs/benchmarks/startup.json

Runs take turns; medians and the slowest twentieth, in milliseconds from start to exit. Each answer is checked.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import timing

BARS_MS = {"--help": 30, "sql SELECT 1": 100, "sql SELECT count(*) FROM customers": 100}
"""What each may take."""

ROOT = Path(__file__).parent.parent
CRATES = {
    "crates": ["--edges", "normal"],
    "crates with those that build": ["--edges", "normal,build"],
    "crates with those of tests": ["--edges", "normal,build,dev"],
}
"""Arguments of cargo tree."""


def commands(sluice, instance):
    """Each with a text that its answer has."""
    at = [sluice, "-i", instance]
    return {
        "--help": ([sluice, "--help"], "Usage"),
        "sql --help": ([sluice, "sql", "--help"], "Usage"),
        "--version": ([sluice, "--version"], "sluice"),
        "sql SELECT 1": ([*at, "sql", "SELECT 1", "--output", "csv"], "1"),
        "sql SELECT count(*) FROM customers": ([*at, "sql", "SELECT count(*) FROM customers", "--output", "csv"], "0"),
        "sql SELECT * FROM runs": ([*at, "sql", "SELECT * FROM runs", "--output", "csv"], "run_id"),
        "status": ([*at, "status", "--output", "csv"], ""),
    }


def once(command, text):
    """Milliseconds from start to exit."""
    started = time.perf_counter()
    made = subprocess.run(command, capture_output=True, text=True)
    milliseconds = (time.perf_counter() - started) * 1000
    if made.returncode or text not in made.stdout:
        raise timing.Wrong(f"{' '.join(map(str, command))} ended with {made.returncode}: {timing.last_lines(made.stderr)}")
    return milliseconds


def measure(options, instance):
    timing.succeeds([options.sluice, "init", instance])
    every = commands(options.sluice, instance)
    times = {name: [] for name in every}
    for number in range(options.rounds + 1):
        for name, (command, text) in every.items():
            milliseconds = once(command, text)
            # The first round brings the program into the cache.
            if number:
                times[name].append(milliseconds)
    return {name: summary(name, of) for name, of in times.items()}


def summary(name, milliseconds):
    ascending = sorted(milliseconds)
    return {"median_ms": round(statistics.median(ascending), 1), "fastest_ms": round(ascending[0], 1),
            "slow_ms": round(ascending[len(ascending) * 19 // 20], 1), "bar_ms": BARS_MS.get(name)}


def crates():
    """Packages that the program is built of, one version of one name each."""
    counts = {}
    for name, edges in CRATES.items():
        tree = subprocess.run(["cargo", "tree", "--offline", "--locked", "--package", "sluice", "--prefix", "none",
                               "--format", "{p}", *edges], cwd=ROOT, capture_output=True, text=True)
        if tree.returncode:
            raise timing.Wrong(f"cargo tree ended with {tree.returncode}: {timing.last_lines(tree.stderr)}")
        lines = {line.split(" (")[0].strip() for line in tree.stdout.splitlines()}
        counts[name] = len(lines - {""})
    return counts


def words(figures):
    rows = [["command", "median ms", "fastest", "slowest twentieth", "may take"]]
    rows += [[name, f"{of['median_ms']:.1f}", f"{of['fastest_ms']:.1f}", f"{of['slow_ms']:.1f}", str(of["bar_ms"] or "")]
             for name, of in figures["commands"].items()]
    size = f"{figures['binary_bytes'] / 1e6:.1f} MB, {figures['stripped_bytes'] / 1e6:.1f} MB without symbols"
    counts = ", ".join(f"{count} {name}" for name, count in figures["crates"].items())
    return f"{timing.table(rows)}\n\n{size}; {counts}"


def stripped_bytes(program):
    """Size without symbols; the program stays as it is."""
    with tempfile.NamedTemporaryFile() as stripped:
        made = subprocess.run(["strip", "-o", stripped.name, program], capture_output=True)
        return os.path.getsize(stripped.name if made.returncode == 0 else program)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True, help="the program, a release build")
    parser.add_argument("--rounds", type=timing.positive, default=40, help="runs of each command [40]")
    parser.add_argument("--out", type=Path, help="startup.json [only printed]")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-startup-") as folder:
            figures = {"commands": measure(options, Path(folder) / "instance"),
                       "binary_bytes": os.path.getsize(options.sluice),
                       "stripped_bytes": stripped_bytes(options.sluice), "crates": crates()}
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    print(words(figures))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    over = [name for name, of in figures["commands"].items() if of["bar_ms"] and of["median_ms"] > of["bar_ms"]]
    if over:
        sys.exit(f"too slow: {', '.join(over)}")


if __name__ == "__main__":
    main()
