"""Changes one customer's tier in a Delta table, as delta-rs does it.

    python write_customers.py TABLE update|merge CUSTOMER TIER
"""

import argparse

import polars
from deltalake import DeltaTable


def update(table, customer, tier):
    table.update(new_values={"tier": tier}, predicate=f"customer_id = '{customer}'")


def merge(table, customer, tier):
    change = polars.DataFrame({"customer_id": [customer], "tier": [tier]})
    merging = table.merge(change, "old.customer_id = new.customer_id", source_alias="new", target_alias="old")
    merging.when_matched_update({"tier": "new.tier"}).execute()


WAYS = {"update": update, "merge": merge}


def main():
    parser = argparse.ArgumentParser(description="Change one customer's tier with delta-rs.")
    parser.add_argument("table", help="folder or URL of the Delta table")
    parser.add_argument("way", choices=sorted(WAYS))
    parser.add_argument("customer")
    parser.add_argument("tier")
    arguments = parser.parse_args()
    WAYS[arguments.way](DeltaTable(arguments.table), arguments.customer, arguments.tier)


if __name__ == "__main__":
    main()
