"""Sluice against its peers on generated files, step by step, as a report: docs/benchmarks.md.

    benches/peers/run --customers 1000000 --rounds 3

The steps are those of `sluice bench`: a file of customers into an empty table and the same again; change sets of 1, 10
and 100 % into a base, each twice; judging alone. peers/run makes the Python environments and calls this.
"""

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import sys
import tempfile
from pathlib import Path

import contest
import programs
import report
import timing
from contest import Chain, Step

ROOT = Path(__file__).parent.parent
PARTS = ["load", "merge", "validate"]
SHARES = [1, 10, 100]
"""Percent of the customers that each change set holds."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    programs.add_arguments(parser)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="which steps run [all]")
    parser.add_argument("--customers", type=timing.positive, default=1_000_000, help="customers of the base [1000000]")
    parser.add_argument("--attributes", type=timing.positive, default=30, help="attributes of the base [30]")
    parser.add_argument("--bad", default="0.1%", help="share of records that some rule rejects [0.1%%]")
    parser.add_argument("--work", type=Path, help="folder for files and tables; kept, and used again [a temporary one]")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of benchmarks.md and benchmarks/ [docs]")
    parser.add_argument("--report-only", action="store_true", help="write the report again from its figures")
    parser.add_argument("--needs", action="store_true", help="print which environments are needed, and do nothing")
    return parser.parse_args()


class Files:
    """Generated once in a folder; with the same settings they are the same bytes."""

    def __init__(self, options, folder):
        self.options = options
        share = options.bad.replace("%", "")
        self.folder = folder / f"data-{options.customers}x{options.attributes}-{share}"

    def changes(self, name, rows, seed, *more):
        folder = self.folder / name
        if not (folder / "changes.json").exists():
            timing.succeeds([self.options.sluice, "generate", folder, "--rows", str(rows), "--seed", str(seed),
                             "--bad", self.options.bad, *more])
        return folder / "changes.csv"

    def all_new(self):
        return self.changes("load", self.options.customers, 1)

    def share(self, percent):
        """A change set, and a seed of its own: no two send the same values."""
        rows = max(self.options.customers * percent // 100, 1)
        return self.changes(f"changes-{percent}", rows, 2 + SHARES.index(percent),
                            "--customers", str(self.options.customers))

    def base(self):
        more = ["--customers", str(self.options.customers), "--attributes", str(self.options.attributes)]
        return self.changes("base", 1, 9, *more).with_name("base.csv")


def chains(only, files):
    """What is run, made when it is."""
    if "load" in only:
        file = files.all_new()
        yield Chain("none", None, [Step("load", file), Step("load again", file)])
    if "merge" in only:
        sets = [(percent, files.share(percent)) for percent in SHARES]
        steps = [Step(f"merge {percent} %{again}", file) for percent, file in sets for again in ("", " again")]
        yield Chain(files.folder.name, files.base(), steps)
    if "validate" in only:
        yield Chain("none", None, [Step("validate", files.share(SHARES[-1]), contest.VALIDATE)])


def run(options, work):
    """Every chain; the figures of the report."""
    field = programs.field(options, work)
    figures = {"settings": settings(options), "machine": machine(), "steps": [], "programs": {}, "out": [], "loads": []}
    for chain in chains(options.only, Files(options, work)):
        outcome = contest.race(field, chain, options.rounds)
        figures["steps"] += outcome["steps"]
        figures["programs"] |= outcome["programs"]
        figures["out"] += [one | {"reason": without_folders(one["reason"])} for one in outcome["out"].values()]
        figures["loads"] += outcome["loads"]
        print(contest.as_table(outcome))
    figures["loads"] = {"least": round(min(figures["loads"]), 1), "most": round(max(figures["loads"]), 1)}
    return figures


def settings(options):
    return {"customers": options.customers, "attributes": options.attributes, "bad": options.bad,
            "rounds": options.rounds, "options": options.options}


def machine():
    """Where this ran."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": value_of("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def value_of(path, name):
    """The value of the first line `name : value` of a file of the kernel."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)


def built():
    """A release build of the program."""
    print("building the release program", file=sys.stderr)
    timing.succeeds(["cargo", "build", "--release"], cwd=ROOT)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/sluice"


def main():
    options = arguments()
    if options.needs:
        kinds = [] if options.report_only else [programs.PEERS[name].environment for name in options.peers]
        print("\n".join(dict.fromkeys(["main", *kinds])))
        return
    if options.report_only:
        report.write(options.out, report.load(options.out))
        return
    try:
        options.sluice = options.sluice or built()
        with tempfile.TemporaryDirectory(prefix="sluice-peers-") as temporary:
            figures = run(options, options.work or Path(temporary))
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    figures["command"] = shlex.join(["benches/peers/run", *without_paths(sys.argv[1:])])
    report.write(options.out, report.after(report.load(options.out), figures))


def without_folders(text):
    """A message with the names of files alone: folders are those of one machine."""
    return re.sub(r"(?<![\w.:/])/(?:[\w.+-]+/)+", "", text)


def without_paths(words):
    """The arguments that another machine can be given too."""
    paths, kept, skip = {"--sluice", "--work", "--out", "--environments"}, [], False
    for word in words:
        if not skip and word.split("=")[0] not in paths:
            kept.append(word)
        skip = word in paths
    return kept


if __name__ == "__main__":
    main()
