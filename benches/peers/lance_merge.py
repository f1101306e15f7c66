"""The job in Lance: Polars validates, merge_insert into a Lance data set with an index on the key.

    python lance_merge.py customers.csv customers.lance --base base.csv
"""

import os

POOL_BYTES = 4 << 30
os.environ["LANCE_MEM_POOL_SIZE"] = str(POOL_BYTES)  # its own size is too small for a join of all customers

import lance  # noqa: E402: it reads the variable

import polars_job  # noqa: E402
from measure import perform  # noqa: E402


def build(options):
    table = polars_job.base_table(options.base).collect(engine="streaming").to_arrow()
    data_set = lance.write_dataset(table, options.target)
    if table.num_rows:
        data_set.create_scalar_index("customer_id", "BTREE")


def merge(target, change_set):
    """One merge_insert of the columns that the file has; how many customers were updated and inserted."""
    operation = lance.dataset(target).merge_insert("customer_id")
    operation = operation.when_matched_update_all().when_not_matched_insert_all()
    done = operation.execute(change_set.to_arrow())
    return done["num_updated_rows"], done["num_inserted_rows"]


if __name__ == "__main__":
    settings = [*polars_job.SETTINGS, "validated by Polars; merge_insert of the columns that the file has",
                f"LANCE_MEM_POOL_SIZE={POOL_BYTES >> 30} GiB",
                "BTREE index on customer_id where there is a base, made before and not brought up to date; "
                "no compaction"]
    perform(__doc__, lance.__version__, settings, build, None, polars_job.ingest(merge))
