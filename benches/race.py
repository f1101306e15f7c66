"""The validation race: Sluice's dry run against the same rules in its peers, in turn.

    python race.py data/changes.csv --sluice target/release/sluice --rounds 5

The file is read once before, so disks do not count. For the standard steps on generated files there is peers/run.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import contest
import programs
import timing


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, help="changes.csv of sluice generate")
    programs.add_arguments(parser, {name: kind for name, kind in programs.PEERS.items() if kind.judges})
    parser.add_argument("--json", action="store_true", help="print an object instead of a table")
    options = parser.parse_args()
    if not options.sluice:
        parser.error("--sluice is missing")
    return options


def main():
    options = arguments()
    chain = contest.Chain("none", None, [contest.Step("validate", options.csv, contest.VALIDATE)])
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-race-") as work:
            outcome = contest.race(programs.field(options, work), chain, options.rounds)
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    print(json.dumps(outcome, indent=2) if options.json else contest.as_table(outcome))


if __name__ == "__main__":
    main()
