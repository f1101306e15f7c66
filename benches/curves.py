"""What a merge costs, by share of changed customers and strategy, by size and by width of the table, as plots.

    python curves.py --sluice target/release/sluice --out docs/benchmarks

Every point is the whole run from CSV to commit into a fresh copy of the instance, its ten attributes there already and
every value another one; medians. `curves.json` keeps the figures: with `--plot-only` it is drawn again.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import plots
import programs
import timing

STRATEGIES = ["auto", "deletion_vector", "splice", "rewrite"]
SHARES = [0.1, 1, 3, 10, 30, 100]
"""Percent of the customers that a change set holds."""

SIZES = [1_000_000, 5_000_000, 20_000_000]
WIDTHS = [10, 30, 100, 200]

LOOKUPS = 20
"""Customers that are looked up, one after the other."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", help="the program, a release build")
    parser.add_argument("--out", required=True, type=Path, help="folder of curves.json and the plots")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each point [3]")
    parser.add_argument("--only", nargs="*", default=["shares", "sizes", "widths"], help="which curves are measured")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="customers of the largest table [20000000]")
    parser.add_argument("--options", default="", help="further options of sluice ingest, such as --memory 2GB")
    parser.add_argument("--plot-only", action="store_true", help="draw what curves.json holds")
    options = parser.parse_args()
    if not options.plot_only and not options.sluice:
        parser.error("--sluice or --plot-only")
    return options


class Bench:
    """One table with the ten attributes in it, and change sets of other values."""

    def __init__(self, options, folder, customers, attributes):
        self.options, self.folder, self.customers = options, folder, customers
        self.sluice = programs.Sluice(options.sluice, folder, options.options.split())
        self.pristine, self.copy = folder / "base", folder / "copy"
        first = self.change_set(customers // 10, seed=2, attributes=attributes)
        timing.succeeds([options.sluice, "init", self.pristine, "--from", first.parent / "base.csv",
                         "--key", "customer_id"])
        (first.parent / "base.csv").unlink()
        self.ingest(self.pristine, first)

    def change_set(self, rows, seed=3, attributes=0):
        """A file of changes; with attributes, the base beside it."""
        folder = self.folder / f"changes-{rows}-{seed}"
        if not folder.exists():
            base = ["--attributes", str(attributes)] if attributes else []
            timing.succeeds([self.options.sluice, "generate", folder, "--customers", str(self.customers),
                             "--rows", str(rows), "--seed", str(seed), *base])
        return folder / "changes.csv"

    def ingest(self, instance, csv):
        sample = self.sluice.run(instance, csv)
        timing.check(str(csv), sample.report, timing.expected(csv))
        return sample

    def point(self, rows, strategy="auto"):
        """Medians over runs into fresh copies."""
        csv, samples = self.change_set(rows), []
        for _ in range(self.options.rounds):
            shutil.rmtree(self.copy, ignore_errors=True)
            shutil.copytree(self.pristine, self.copy)
            if strategy != "auto":
                with open(self.copy / "sluice.toml", "a") as config:
                    config.write(f'\n[defaults]\nmerge = "{strategy}"\n')
            for path in (csv, *(path for path in self.copy.rglob("*") if path.is_file())):
                timing.warm(path)
            samples.append(self.ingest(self.copy, csv))
        shutil.rmtree(self.copy)
        return facts(samples, rows)


    def lookup(self):
        """Seconds to find one customer, a process each: the median over customers all over the table."""
        seconds = []
        for place in range(LOOKUPS + 1):
            cid = f"C{1 + place * (self.customers - 1) // LOOKUPS:08}"
            begun = time.perf_counter()
            timing.printed([self.options.sluice, "-i", self.pristine, "customer", cid])
            seconds.append(time.perf_counter() - begun)
        return round(statistics.median(seconds), 4)


def facts(samples, rows):
    report = samples[0].report
    merge, merge_ms = report.get("merge") or {}, [s.report["phase_ms"].get("merge") or 0 for s in samples]
    point = {
        "rows": rows,
        "seconds": round(statistics.median(s.seconds for s in samples), 3),
        "merge_seconds": round(statistics.median(merge_ms) / 1000, 3),
        "peak_rss_bytes": int(statistics.median(s.peak_rss_bytes for s in samples)),
        "rows_updated": report["rows_updated"], "rows_inserted": report["rows_inserted"],
        "cells_changed": report["cells_changed"],
        **{name: merge.get(name) for name in ("read_bytes", "copied_bytes", "encoded_bytes", "vector_bytes")},
        "ways": {way["strategy"]: way["files"] for way in merge.get("ways", [])},
    }
    print(json.dumps(point), file=sys.stderr)
    return point


def measure(options, folder):
    """The figures of the curves asked for."""
    curves = {}
    if "shares" in options.only:
        bench = Bench(options, folder / "shares", 1_000_000, 30)
        curves["shares"] = {
            strategy: [bench.point(int(bench.customers * share / 100), strategy) | {"percent": share}
                       for share in SHARES]
            for strategy in STRATEGIES}
        shutil.rmtree(folder / "shares")
    if "widths" in options.only:
        curves["widths"] = [at(options, folder / "widths", 1_000_000, width) for width in WIDTHS]
    if "sizes" in options.only:
        curves["sizes"] = [at(options, folder / "sizes", size, 30) for size in SIZES if size <= options.largest]
    return curves


def at(options, folder, customers, attributes):
    bench = Bench(options, folder, customers, attributes)
    result = {"customers": customers, "attributes": attributes, "fixed": bench.point(50_000),
              "tenth": bench.point(customers // 10), "lookup_seconds": bench.lookup()}
    shutil.rmtree(folder)
    return result


def draw(curves, out):
    """One plot a curve."""
    if "shares" in curves:
        figure, axes = plots.figure(figsize=(6, 4))
        for strategy, points in curves["shares"].items():
            axes.plot([p["percent"] for p in points], [p["merge_seconds"] for p in points], marker="o",
                      label=strategy.replace("_", " "), linewidth=3 if strategy == "auto" else 1.2,
                      alpha=0.5 if strategy == "auto" else 1)
        label(axes, "percent of the customers in the change set", "merge, seconds", "1 M customers x 30 attributes")
        plots.save(figure, out / "strategies.svg")
    for name, unit, title in (("sizes", "customers", "30 attributes"), ("widths", "attributes", "1 M customers")):
        if name in curves:
            figure, (seconds, memory) = plots.figure(1, 2, figsize=(8, 3.6), layout="constrained")
            for key, words in (("fixed", "50,000 rows"), ("tenth", "one row in ten customers")):
                x = [point[unit] for point in curves[name]]
                seconds.plot(x, [p[key]["seconds"] for p in curves[name]], marker="o", label=words)
                memory.plot(x, [p[key]["peak_rss_bytes"] / 1e6 for p in curves[name]], marker="o", label=words)
            label(seconds, unit, "whole run, seconds", title)
            label(memory, unit, "peak memory, MB", title)
            plots.save(figure, out / f"{name}.svg")
            for point in (p for p in curves[name] if "lookup_seconds" in p):
                print(f"{point[unit]:,} {unit}: one customer in {1000 * point['lookup_seconds']:.0f} ms",
                      file=sys.stderr)


def label(axes, x, y, title):
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.legend()


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "curves.json"
    curves = json.loads(path.read_text()) if path.exists() else {}
    if not options.plot_only:
        try:
            with tempfile.TemporaryDirectory(prefix="sluice-curves-") as folder:
                curves |= measure(options, Path(folder))
        except timing.Wrong as wrong:
            sys.exit(str(wrong))
        path.write_text(json.dumps(curves, indent=1) + "\n")
    draw(curves, options.out)


if __name__ == "__main__":
    main()
