"""What the peers share: arguments, phases, the referee, and the report as one JSON object."""

import argparse
import contextlib
import json
import resource
import sys
import time

ATTRIBUTES = {
    "Email": "email",
    "Loyalty Tier": "loyalty_tier",
    "City": "city",
    "Signup Date": "signup_date",
    "Last Login": "last_login",
    "Total Spend": "total_spend",
    "Orders": "orders",
    "Opted In": "opted_in",
    "Points": "points",
    "Favourite Note": "favourite_note",
}
"""Columns of the customer file, and the attributes they become."""

NAMES = list(ATTRIBUTES.values())
STRINGS = ["email", "loyalty_tier", "city", "favourite_note"]

# Regular expressions of Rust's and RE2's common syntax.
UNSUPPORTED = (
    r"[\x{1F1E6}-\x{1FAFF}\x{FE0F}\x{20E3}\x{200D}\x{0000}-\x{0008}\x{000B}\x{000C}\x{000E}-\x{001F}\x{007F}-\x{009F}]"
)
# The code page has no C1 control, whatever decoders of the web make of its five holes.
NOT_WINDOWS_1252 = r"[^\x{0000}-\x{007F}\x{00A0}-\x{00FF}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
BLANKS = r"\s\x{0085}\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
CONTROLS = r"\x{0000}-\x{001F}\x{007F}-\x{009F}"
ADDRESS = rf"^[^@{BLANKS}{CONTROLS}]{{1,64}}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
WHOLE_CENTS = r"^[+-]?[0-9]*\.?[0-9]{0,2}0*$"


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("csv", help="customer file to ingest; `-` to build the target and nothing else")
    parser.add_argument("target", help="where the customers live; built from --base, untimed, if it is not there")
    parser.add_argument("--base", help="CSV of existing customers, with customer_id")
    parser.add_argument("--rejects", default="rejects.parquet", help="file for the rejects, if they go to a file")
    parser.add_argument("--expect-rejected", type=int, help="fail unless exactly so many records are rejected")
    return parser.parse_args()


def validation_arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("csv", help="customer file to judge")
    parser.add_argument("--expect-rejected", type=int, help="fail unless exactly so many records are rejected")
    return parser.parse_args()


def counts_by_rule(ids, masks):
    """Records by rule, from how many records have each mask of broken rules."""
    counts = {rule: sum(rows for mask, rows in masks.items() if mask >> bit & 1) for bit, rule in enumerate(ids)}
    return {rule: rows for rule, rows in counts.items() if rows}


class Report:
    """Seconds by phase, and facts of the run."""

    def __init__(self, peer, version):
        self.facts = {"peer": peer, "version": version}
        self.seconds = {}

    @contextlib.contextmanager
    def phase(self, name):
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)

    def finish(self, expect_rejected, **facts):
        """Prints the report; exits 1 if the referee disagrees."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        peak_rss_bytes = usage.ru_maxrss * 1024
        total = round(sum(self.seconds.values()), 3)
        report = self.facts | facts | {
            "phase_seconds": self.seconds, "total_seconds": total,
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3), "peak_rss_bytes": peak_rss_bytes}
        print(json.dumps(report, indent=2))
        if expect_rejected is not None and expect_rejected != facts["rows_rejected"]:
            sys.exit(f"expected {expect_rejected} rejected records, found {facts['rows_rejected']}")
