"""What the races share: commands as processes, their time and memory, Sluice's command line, tables."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ATTRIBUTES = [
    "Email=email", "Loyalty Tier=string", "City=string", "Signup Date=date", "Last Login=timestamp",
    "Total Spend=decimal(18,2)", "Orders=int", "Opted In=boolean", "Points=bigint", "Favourite Note=string",
]
"""Columns of the customer file, each with its type."""

DATA_FAILED = 3
"""Exit code of a run that found everything out and may not merge, as when no row is accepted."""


class Wrong(Exception):
    """A program did not do the job: its time is worth nothing."""


@dataclass
class Sample:
    """One run of a program."""

    seconds: float
    """What counts: a peer's own clock, and Sluice's whole process."""
    process_seconds: float
    """From start to exit."""
    cpu_seconds: float
    """Of all threads, user and system."""
    peak_rss_bytes: int
    """Peak resident memory."""
    report: dict
    """The JSON object that the program printed."""


def measured(command, allowed=(0,)):
    """Runs a command that prints one JSON object."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [(stream.seek(0), stream.read().decode(errors="replace"))[1] for stream in (out, err)]
    if process.returncode not in allowed:
        raise Wrong(f"{command[0]} ended with {process.returncode}: {texts[1].strip() or texts[0].strip()}")
    try:
        report = json.loads(texts[0])
    except json.JSONDecodeError as error:
        raise Wrong(f"{' '.join(map(str, command[:3]))} printed no JSON object: {error}") from error
    return Sample(seconds, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, report)


def succeeds(command):
    """Runs a command of which only the end counts."""
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise Wrong(f"{command[0]} {command[1]} ended with {made.returncode}: {made.stderr.strip()}")


@contextlib.contextmanager
def sluice_instance(program):
    """A fresh instance for dry runs, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sluice-race-") as folder:
        instance = Path(folder) / "instance"
        succeeds([program, "init", str(instance)])
        yield instance


def dry_run(program, instance, csv):
    """Sluice reads and judges the file, and merges nothing."""
    attributes = [word for attribute in ATTRIBUTES for word in ("--attribute", attribute)]
    command = [program, "-i", str(instance), "ingest", str(csv), "--key", "cid", *attributes, "--name", "race",
               "--dry-run", "--output", "json", "--quiet"]
    return measured(command, allowed=(0, DATA_FAILED))


def expected(csv, rows_rejected=None):
    """What the generator says of a file: `changes.json` beside `changes.csv`, or a number given."""
    beside = Path(csv).with_suffix(".json")
    facts = json.loads(beside.read_text()) if beside.exists() else {}
    if rows_rejected is not None:
        facts["rejected"] = rows_rejected
    if "rejected" not in facts:
        raise Wrong(f"{beside} is not there: how many records must be rejected? Give --expect-rejected")
    return facts


def check(name, report, facts):
    """A time counts only if the right records were rejected, by number and, if known, by rule."""
    if report["rows_rejected"] != facts["rejected"]:
        raise Wrong(f"{name} rejected {report['rows_rejected']} records, and {facts['rejected']} are bad")
    found = rule_counts(report)
    if facts.get("rule_counts") is not None and found != facts["rule_counts"]:
        raise Wrong(f"{name} rejected by rule {found}, and {facts['rule_counts']} is right")


def rule_counts(report):
    """Records by rule, whether the report has an object or, as Sluice's, a list."""
    counts = report.get("rule_counts") or {}
    if isinstance(counts, list):
        counts = {count["rule"]: count["records"] for count in counts}
    return {rule: records for rule, records in counts.items() if records}


def warm(csv):
    """Reads the file once, so that it comes from the page cache; its size in bytes."""
    size_bytes = 0
    with open(csv, "rb", buffering=0) as file:
        while chunk := file.read(1 << 22):
            size_bytes += len(chunk)
    return size_bytes


def in_turn(programs, rounds):
    """Runs A B C A B C ..., so that whatever else the machine does meets all of them; samples by name."""
    samples = {name: [] for name in programs}
    for number in range(1, rounds + 1):
        for name, run in programs.items():
            sample = run()
            samples[name].append(sample)
            load = os.getloadavg()[0]
            print(f"round {number}, {name}: {sample.seconds:.2f} s, load {load:.1f}", file=sys.stderr)
    return samples


def medians(samples, size_bytes):
    """The medians of one program's runs."""
    def middle(field):
        return statistics.median(getattr(sample, field) for sample in samples)

    return {
        "seconds": round(middle("seconds"), 3),
        "fastest_seconds": round(min(sample.seconds for sample in samples), 3),
        "process_seconds": round(middle("process_seconds"), 3),
        "cpu_seconds": round(middle("cpu_seconds"), 3),
        "gb_per_second": round(size_bytes / 1e9 / middle("seconds"), 3),
        "peak_rss_bytes": int(middle("peak_rss_bytes")),
        "rows_rejected": samples[0].report["rows_rejected"],
    }


def table(rows):
    """Rows of words as columns, the first one to the left and the rest to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(word.rjust(width) for word, width in zip(row[1:], widths[1:]))])
             for row in rows]
    return "\n".join(line.rstrip() for line in lines)
