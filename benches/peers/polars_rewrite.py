"""The job in Polars: rules as expressions, rejects to Parquet, the customers' Parquet file joined and rewritten.

    python polars_rewrite.py customers.csv customers.parquet --base base.csv
"""

import os

import polars as pl
from polars import col

import polars_job
from measure import NAMES, perform


def build(options):
    polars_job.base_table(options.base).sink_parquet(options.target, compression="zstd")


def merge(target, change_set):
    """Joins, takes the change set's values where it has the customer, writes the table anew."""
    table = pl.scan_parquet(target)
    before = rows(target)
    joined = table.join(
        change_set.lazy().with_columns(pl.lit(True).alias("sent")), on="customer_id", how="full", coalesce=True,
        suffix="_new")
    merged = joined.with_columns(
        pl.when("sent").then(col(f"{name}_new")).otherwise(col(name)).alias(name) for name in NAMES)
    merged.select(table.collect_schema().names()).sink_parquet(f"{target}.new", compression="zstd")
    os.replace(f"{target}.new", target)
    inserted = rows(target) - before
    return change_set.height - inserted, inserted


def rows(target):
    return pl.scan_parquet(target).select(pl.len()).collect().item()


if __name__ == "__main__":
    settings = [*polars_job.SETTINGS, "one Parquet file joined and written anew by sink_parquet, zstd"]
    perform(__doc__, pl.__version__, settings, build, polars_job.validate, polars_job.ingest(merge))
