"""Writes a Delta table of customers as delta-rs does it: two appends, an update, a delete, a checkpoint, an append.

    python write_base.py TABLE ROWS

Customer n has the id Cn and n points; number 1 was updated, number 2 deleted.
"""

import argparse

import polars
from deltalake import DeltaTable, write_deltalake


def append(table, numbers):
    frame = polars.DataFrame({
        "cid": [f"C{number}" for number in numbers],
        "tier": ["Gold" if number % 2 else None for number in numbers],
        "points": list(numbers),
    })
    write_deltalake(table, frame, mode="append")


def main():
    parser = argparse.ArgumentParser(description="Write a Delta table of customers with delta-rs.")
    parser.add_argument("table", help="folder or URL of the Delta table")
    parser.add_argument("rows", type=int)
    arguments = parser.parse_args()
    half = arguments.rows // 2
    append(arguments.table, range(half))
    table = DeltaTable(arguments.table)
    table.update(new_values={"tier": "Changed"}, predicate="points = 1")
    table.delete("points = 2")
    table.create_checkpoint()
    append(arguments.table, range(half, arguments.rows))


if __name__ == "__main__":
    main()
