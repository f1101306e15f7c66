"""What a customer table comes to, so that tables of different programs can be compared; JSON.

    python sums.py duckdb|ducklake|parquet|delta|lance TARGET
"""

import argparse
import json

import polars as pl
from polars import col

COLUMNS = ["customer_id", "email", "loyalty_tier", "last_login", "total_spend", "orders", "opted_in", "points",
           "favourite_note"]
CARRIED = "visits_005"
"""An attribute of the base that no change set has; it must come through."""


def arrow(table):
    return pl.from_arrow(table).lazy()


def duckdb(target):
    import duckdb_job

    return arrow(duckdb_job.connect(target).sql("SELECT * FROM customers").to_arrow_table())


def ducklake(target):
    import ducklake_merge

    return arrow(ducklake_merge.connect(target).sql("SELECT * FROM lake.customers").to_arrow_table())


def lance(target):
    import lance

    return arrow(lance.dataset(target).to_table())


READERS = {"duckdb": duckdb, "ducklake": ducklake, "parquet": pl.scan_parquet, "delta": pl.scan_delta, "lance": lance}


def sums(table):
    """Counts and sums over all customers, each a whole number."""
    names = table.collect_schema().names()
    instant = col("last_login").dt.epoch("us") // 1_000_000
    wanted = {
        "customers": pl.len(),
        "distinct_customers": col("customer_id").n_unique(),
        "emails": col("email").count(),
        "login_seconds": instant.sum(),
        "spend_cents": (col("total_spend") * 100).cast(pl.Int64).sum(),
        "orders": col("orders").cast(pl.Int64).sum(),
        "opted_in": col("opted_in").cast(pl.Int64).sum(),
        "points": col("points").sum(),
        "note_bytes": col("favourite_note").str.len_bytes().cast(pl.Int64).sum(),
    }
    if CARRIED in names:
        wanted["carried"] = col(CARRIED).cast(pl.Int64).sum()
    found = table.select(**wanted).collect(engine="streaming").row(0, named=True)
    tiers = table.group_by("loyalty_tier").len().collect(engine="streaming").iter_rows()
    return {name: int(value) for name, value in found.items()} | {
        f"tier_{tier}": count for tier, count in sorted(tiers, key=str)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format", choices=sorted(READERS), help="how the table is kept")
    parser.add_argument("target", help="where the table is")
    options = parser.parse_args()
    print(json.dumps(sums(READERS[options.format](options.target)), indent=2))


if __name__ == "__main__":
    main()
