"""The job in delta-rs: Polars validates as in polars_rewrite.py, delta-rs merges into a Delta table.

    python delta_merge.py customers.csv customers_delta --base base.csv
"""

import os

import deltalake
import polars as pl

from measure import NAMES, STRINGS, Report, arguments
from polars_rewrite import base_table, report_facts, schema, split, stage


def merge(target, change_set):
    """One MERGE; returns how many customers were updated and inserted."""
    values = {name: f"source.{name}" for name in ["customer_id", *NAMES]}
    operation = deltalake.DeltaTable(target).merge(
        change_set, predicate="target.customer_id = source.customer_id", source_alias="source", target_alias="target")
    operation = operation.when_matched_update({name: values[name] for name in NAMES}).when_not_matched_insert(values)
    metrics = operation.execute()
    return metrics["num_target_rows_updated"], metrics["num_target_rows_inserted"]


def main():
    options = arguments(__doc__)
    report = Report("delta_merge", deltalake.__version__)
    if not os.path.exists(options.target):
        empty = {"customer_id": pl.String, **{name: pl.String for name in STRINGS}, **schema()}
        deltalake.write_deltalake(options.target, base_table(options.base, empty).collect(engine="streaming"))
    with report.phase("read_and_rules"):
        staged = stage(options.csv)
    with report.phase("rejects"):
        rejects, change_set = split(staged)
        rejects.write_parquet(options.rejects)
    with report.phase("merge"):
        updated, inserted = merge(options.target, change_set)
    report.finish(options.expect_rejected, **report_facts(rejects, updated, inserted))


if __name__ == "__main__":
    main()
