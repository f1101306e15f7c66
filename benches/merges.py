"""The whole job against the peers: change sets into copies of one customer base, from CSV to commit, in turn.

    python merges.py data/base.csv data/one/changes.csv data/two/changes.csv --sluice target/release/sluice --rounds 3

Each round copies the base as each program keeps it, and ingests the files into the copy in the order given. A file
that is named twice is a repeat. The copy is not timed, and read once, so that disks do not count. For the standard
steps on generated files there is peers/run.
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
    parser.add_argument("base", type=Path, help="base.csv of sluice generate")
    parser.add_argument("csv", nargs="+", type=Path, help="change sets, ingested one after the other")
    programs.add_arguments(parser)
    parser.add_argument("--work", help="folder for bases and copies; kept, and used again if the bases are there")
    parser.add_argument("--json", action="store_true", help="print an object instead of a table")
    options = parser.parse_args()
    if not options.sluice:
        parser.error("--sluice is missing")
    return options


def main():
    options = arguments()
    chain = contest.Chain("base", options.base, [contest.Step(csv.parent.name, csv) for csv in options.csv])
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-merges-") as temporary:
            outcome = contest.race(programs.field(options, options.work or temporary), chain, options.rounds)
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    print(json.dumps(outcome, indent=2) if options.json else contest.as_table(outcome))


if __name__ == "__main__":
    main()
