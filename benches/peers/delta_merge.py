"""The job in delta-rs: Polars validates, delta-rs merges into a Delta table.

    python delta_merge.py customers.csv customers_delta --base base.csv
"""

import deltalake

import polars_job
from measure import NAMES, perform


def build(options):
    deltalake.write_deltalake(options.target, polars_job.base_table(options.base).collect(engine="streaming"))


def merge(target, change_set):
    """One MERGE; how many customers were updated and inserted."""
    values = {name: f"source.{name}" for name in ["customer_id", *NAMES]}
    operation = deltalake.DeltaTable(target).merge(
        change_set, predicate="target.customer_id = source.customer_id", source_alias="source", target_alias="target")
    operation = operation.when_matched_update({name: values[name] for name in NAMES}).when_not_matched_insert(values)
    metrics = operation.execute()
    return metrics["num_target_rows_updated"], metrics["num_target_rows_inserted"]


if __name__ == "__main__":
    settings = [*polars_job.SETTINGS, "validated by Polars; DeltaTable.merge, streamed, with its default writer"]
    perform(__doc__, deltalake.__version__, settings, build, None, polars_job.ingest(merge))
