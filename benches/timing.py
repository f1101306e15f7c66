"""What the races share: commands as processes, their time and memory, what a file must give, tables."""

import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path


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
    disk_bytes: int = 0
    """What the program keeps on disk afterwards."""


def measured(command, allowed=(0,), limit_seconds=None):
    """Runs a command that prints one JSON object; one that takes longer than its limit is ended."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        timer = threading.Timer(limit_seconds or 0, process.kill)
        if limit_seconds:
            timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [(stream.seek(0), stream.read().decode(errors="replace"))[1] for stream in (out, err)]
    name = Path(command[1] if str(command[1]).endswith(".py") else command[0]).name
    if limit_seconds and seconds >= limit_seconds:
        raise Wrong(f"{name} was not done after {limit_seconds} s")
    if process.returncode not in allowed:
        raise Wrong(f"{name} ended with {process.returncode}: {last_lines(texts[1]) or last_lines(texts[0])}")
    try:
        report = json.loads(texts[0])
    except json.JSONDecodeError as error:
        raise Wrong(f"{name} printed no JSON object: {error}") from error
    return Sample(seconds, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, report)


def last_lines(text):
    """The end of what was printed: what went wrong stands there."""
    return " / ".join(line.strip() for line in text.strip().splitlines()[-3:])[-400:]


def succeeds(command, **settings):
    """Runs a command of which only the end counts."""
    made = subprocess.run(command, capture_output=True, text=True, **settings)
    if made.returncode:
        raise Wrong(f"{Path(command[0]).name} {command[1]} ended with {made.returncode}: {last_lines(made.stderr)}")


def printed(command):
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def positive(text):
    """A whole number from one, for arguments."""
    number = int(text)
    if number < 1:
        raise ValueError(f"{text} is not positive")
    return number


def expected(csv):
    """What the generator says of a file: `changes.json` beside `changes.csv`."""
    beside = Path(csv).with_suffix(".json")
    try:
        return json.loads(beside.read_text())
    except FileNotFoundError as error:
        raise Wrong(f"{beside} is not there, so nobody knows what must be rejected; sluice generate writes it") from error


def check(name, report, facts):
    """A time counts only if the right records were read and rejected, by number and by rule."""
    if report["rows_read"] != facts["rows"]:
        raise Wrong(f"{name} read {report['rows_read']} records, and there are {facts['rows']}")
    if report["rows_rejected"] != facts["rejected"]:
        raise Wrong(f"{name} rejected {report['rows_rejected']} records, and {facts['rejected']} are bad")
    found = rule_counts(report)
    if found != facts["rule_counts"]:
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


def medians(samples, size_bytes):
    """The medians of one program's runs."""
    def middle(field):
        return statistics.median(getattr(sample, field) for sample in samples)

    return {
        "seconds": round(middle("seconds"), 3),
        "fastest_seconds": round(min(sample.seconds for sample in samples), 3),
        "slowest_seconds": round(max(sample.seconds for sample in samples), 3),
        "process_seconds": round(middle("process_seconds"), 3),
        "cpu_seconds": round(middle("cpu_seconds"), 3),
        "gb_per_second": round(size_bytes / 1e9 / middle("seconds"), 3),
        "peak_rss_bytes": int(middle("peak_rss_bytes")),
        "disk_bytes": int(middle("disk_bytes")),
        "rows_rejected": samples[0].report["rows_rejected"],
    }


def table(rows):
    """Rows of words as columns, the first one to the left and the rest to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(word.rjust(width) for word, width in zip(row[1:], widths[1:]))])
             for row in rows]
    return "\n".join(line.rstrip() for line in lines)
