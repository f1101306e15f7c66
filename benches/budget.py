"""Whether the memory budget holds: load, merge, optimize and SQL on input ten times as large.

    python benches/budget.py --sluice target/release/sluice --memory 1GB --customers 30000000

Makes the files, runs every step with --memory and --threads, and watches it: resident memory of the process tree, time,
how it ends. A step holds if it ends well, its answer is right, and its memory stays within 1.25 times the budget. One
that says within the time limit that it cannot be done in so much memory is refused, which is an answer too; one that is
killed, runs into the limit, or goes over is a failure, and the program ends with 1. Input is the file of a step; its size
by the budget is printed.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import programs
import timing

SLACK = 1.25
"""How many times the budget may be resident."""

READ_BYTES = 16 << 20
"""Of what a step prints: a report whole, of rows the first."""

TIMES_BUDGET = 10
UNITS = {"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}

QUERIES = {
    "sort": "COPY (SELECT * FROM customers ORDER BY {text}, customer_id) TO '{out}/sorted.parquet'",
    "sort, all rows printed": "SELECT customer_id, {text} FROM customers ORDER BY {text} DESC, customer_id",
    "group by": "SELECT count(*) AS n, sum(c) AS c FROM "
                "(SELECT {text}, customer_id, count(*) AS c FROM customers GROUP BY {text}, customer_id)",
    "distinct": "SELECT count(DISTINCT customer_id) AS n FROM customers",
    "join": "SELECT count(*) AS n, count(a.{text}) AS c FROM customers a JOIN customers b "
            "ON a.customer_id = b.customer_id AND a.{text} IS NOT DISTINCT FROM b.{text}",
    "window": "SELECT count(*) AS n, max(place) AS c FROM "
              "(SELECT row_number() OVER (PARTITION BY {text} ORDER BY customer_id) AS place FROM customers)",
    "rejects by rule": "SELECT rule, count(*) AS n FROM reject_reasons GROUP BY rule",
}

COUNTS_ALL = ["sort", "group by", "distinct", "join"]
"""Queries whose first number is that of the customers."""


@dataclass
class Watched:
    """How a step ended."""

    step: str
    outcome: str
    """held, refused, or what went wrong."""
    seconds: float
    peak_rss_bytes: int
    input_bytes: int
    said: str = ""
    """The end of what it wrote on stderr."""

    def failed(self):
        return self.outcome not in ("held", "refused")


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.budget = size(options.memory)
        self.limits = ["--memory", options.memory, "--threads", str(options.threads)]
        self.results, self.num_customers = [], None

    def run(self):
        self.load()
        self.generate("data", self.options.customers, "--customers", self.options.customers,
                      "--attributes", self.options.attributes)
        wide, base, changes = self.folder / "wide", self.folder / "data/base.csv", self.folder / "data/changes.csv"
        self.step("adopt", ["init", wide, "--from", base, "--key", "customer_id"], base)
        # Sorts want the disk: what no later step needs goes.
        base.unlink()
        self.step("merge", self.ingest(wide, changes), changes)
        self.step("merge again", [*self.ingest(wide, changes), "--force"], changes)
        changes.unlink()
        self.step("optimize", ["-i", wide, "optimize"], customers=wide)
        count = [self.options.sluice, "-i", wide, "sql", "SELECT count(*) AS n FROM customers", "--output", "json"]
        self.num_customers = timing.measured(count).report[0]["n"]
        for name, query in QUERIES.items():
            out = self.folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            query = query.format(text=self.options.column, out=out)
            self.step(name, ["-i", wide, "sql", query, "--output", "csv"], customers=wide)

    def load(self):
        """New customers into an empty table, and once more."""
        self.generate("new", self.options.load_rows or self.options.customers)
        load, new = self.folder / "load", self.folder / "new/changes.csv"
        timing.succeeds([self.options.sluice, "init", load])
        self.step("load", self.ingest(load, new), new)
        self.step("load again", [*self.ingest(load, new), "--force"], new)
        shutil.rmtree(load)
        new.unlink()

    def generate(self, name, rows, *more):
        timing.succeeds([self.options.sluice, "generate", self.folder / name, "--rows", str(rows), "--bad", "1%",
                         *map(str, more)])

    def ingest(self, instance, csv):
        attributes = [word for attribute in programs.ATTRIBUTES for word in ("--attribute", attribute)]
        return ["-i", instance, "ingest", csv, "--key", "cid", *attributes, "--name", "budget", "--output", "json"]

    def step(self, name, arguments, file=None, customers=None):
        if self.options.only and name not in self.options.only and file is None:
            return
        self.results.append(self.watched(name, arguments, file, customers))
        last = self.results[-1]
        print(f"{name}: {last.outcome}, {last.seconds:.1f} s, {last.peak_rss_bytes / 1e6:.0f} MB {last.said}",
              file=sys.stderr)

    def watched(self, name, arguments, file, customers):
        command = [self.options.sluice, *arguments, *self.limits, "--quiet"]
        input_bytes = file.stat().st_size if file else sum(p.stat().st_size for p in customers.glob("customers/*.parquet"))
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started = time.perf_counter()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            timer = threading.Timer(self.options.limit_seconds, process.kill)
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            said = timing.last_lines((err.seek(0), err.read().decode(errors="replace"))[1])
            printed = (out.seek(0), out.read(READ_BYTES))[1]
        peak = usage.ru_maxrss * 1024
        outcome = self.judged(process.returncode, seconds, peak, said, name, file, printed)
        return Watched(name, outcome, round(seconds, 2), peak, input_bytes, "" if outcome == "held" else said)

    def judged(self, code, seconds, peak, said, name, file, printed):
        if code == -signal.SIGKILL:
            return "hung" if seconds >= self.options.limit_seconds else "killed"
        if peak > self.budget * SLACK:
            return f"over by {peak / self.budget:.2f}"
        if code and re.search(r"memory|budget", said, re.IGNORECASE):
            return "refused"
        if code:
            return f"ended with {code}"
        return self.right(name, file, printed)

    def right(self, name, file, printed):
        """Whether what was printed is what is due."""
        if file and file.name == "changes.csv":
            try:
                timing.check(name, json.loads(printed), timing.expected(file))
            except (timing.Wrong, json.JSONDecodeError) as wrong:
                return f"wrong: {wrong}"
        if name in COUNTS_ALL:
            first = (re.findall(rb"\d+", printed) or [b"0"])[0]
            if int(first) != self.num_customers:
                return f"wrong: {int(first)} customers of {self.num_customers}"
        return "held"


def size(text):
    """Bytes of a size as sluice reads it."""
    number, unit = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", text).groups()
    return int(int(number) * UNITS[unit.upper()])


def words(bench):
    rows = [["step", "outcome", "seconds", "input MB", "by budget", "peak MB", "by budget"]]
    rows += [[of.step, of.outcome, f"{of.seconds:.1f}", f"{of.input_bytes / 1e6:.0f}",
              f"{of.input_bytes / bench.budget:.1f}", f"{of.peak_rss_bytes / 1e6:.0f}",
              f"{of.peak_rss_bytes / bench.budget:.2f}"] for of in bench.results]
    text = timing.table(rows)
    largest = max(of.input_bytes for of in bench.results)
    if largest < TIMES_BUDGET * bench.budget:
        needed = bench.options.customers * TIMES_BUDGET * bench.budget / largest
        text += f"\nno file is {TIMES_BUDGET} times the budget; --customers {needed:.0f} would be"
    return text


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", required=True, help="the program, a release build")
    parser.add_argument("--memory", required=True, help="the budget, such as 1GB")
    parser.add_argument("--customers", type=timing.positive, required=True, help="customers, and rows of the change set")
    parser.add_argument("--load-rows", type=timing.positive, help="rows of the file that is loaded [as many as customers]")
    parser.add_argument("--attributes", type=timing.positive, default=20, help="attributes of the base [20]")
    parser.add_argument("--threads", type=timing.positive, default=os.cpu_count(), help="cores [all]")
    parser.add_argument("--column", default="remark_010", help="a text column that queries sort and group by")
    parser.add_argument("--only", nargs="*", choices=["optimize", *QUERIES], help="steps after the merges [all]")
    parser.add_argument("--limit-seconds", type=timing.positive, default=1800, help="what takes longer hangs [1800]")
    parser.add_argument("--work", type=Path, help="folder for files and instances [a temporary one]")
    parser.add_argument("--out", type=Path, help="budget.json [only printed]")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-budget-", dir=options.work) as folder:
            bench = Bench(options, Path(folder))
            bench.run()
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    print(words(bench))
    if options.out:
        settings = {name: getattr(options, name) for name in ("memory", "customers", "attributes", "threads")}
        figures = {**settings, "steps": [asdict(result) for result in bench.results]}
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    if any(result.failed() for result in bench.results):
        sys.exit(1)


if __name__ == "__main__":
    main()
