"""What the peers share: arguments, the target, phases, and the report as one JSON object."""

import argparse
import contextlib
import json
import os
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
TEXTS = ["cid", *STRINGS]
"""What is searched for characters that are not supported."""

RULES = ["cid_null", "type_mismatch", "date_default", "date_too_early", "string_too_long", "unsupported_character",
         "email_invalid", "cid_duplicate"]
"""Each one bit of what a row broke; the last needs all rows, so it comes later."""

DUPLICATE = 1 << RULES.index("cid_duplicate")

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
TRUE = r"^(?i:true|t|yes|y|1)$"
FALSE = r"^(?i:false|f|no|n|0)$"


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", help="customer file to ingest; `-` to build the target and nothing else")
    parser.add_argument("target", nargs="?",
                        help="where the customers live; built from --base, untimed, if it is not there. "
                             "Left out, the file is judged, and nothing merged")
    parser.add_argument("--base", help="CSV of existing customers, with customer_id; without, there are none")
    parser.add_argument("--rejects", default="rejects.parquet", help="file for the rejects, if they go to a file")
    return parser.parse_args()


def counts_by_rule(masks):
    """Records by rule, from how many records have each mask of broken rules."""
    counts = {rule: sum(rows for mask, rows in masks.items() if mask >> bit & 1) for bit, rule in enumerate(RULES)}
    return {rule: rows for rule, rows in counts.items() if rows}


def judged(masks):
    """What a report says of rows, from how many have each mask."""
    return {
        "rows_read": sum(masks.values()),
        "rows_rejected": sum(rows for mask, rows in masks.items() if mask),
        "rule_counts": counts_by_rule(masks),
    }


class Report:
    """Seconds by phase, and facts of the run."""

    def __init__(self, version, settings):
        self.facts = {"version": version, "settings": settings}
        self.seconds = {}

    @contextlib.contextmanager
    def phase(self, name):
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)

    def finish(self, **facts):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        total = round(sum(self.seconds.values()), 3)
        report = self.facts | facts | {
            "phase_seconds": self.seconds, "total_seconds": total,
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3), "peak_rss_bytes": usage.ru_maxrss * 1024}
        print(json.dumps(report, indent=2))


def perform(description, version, settings, build, validate, ingest):
    """The program of a peer: builds its target, judges a file, or takes it in.

    `build(options)` makes the target, `validate(options, report)` and `ingest(options, report)` say what they found.
    What a peer cannot do is None.
    """
    options = arguments(description)
    if options.target and not os.path.exists(options.target):
        build(options)
    if options.csv == "-":
        return
    job = ingest if options.target else validate
    if job is None:
        sys.exit("this peer does not judge a file without merging it")
    report = Report(version, settings)
    report.finish(**job(options, report))
