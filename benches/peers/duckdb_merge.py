"""The job in DuckDB: CSV with a rejects table, rules as SQL, MERGE INTO a native table.

    python duckdb_merge.py customers.csv customers.duckdb --base base.csv
"""

import duckdb

import duckdb_job
from measure import perform


def build(options):
    connection = duckdb_job.connect(options.target)
    connection.execute(f"CREATE TABLE customers AS {duckdb_job.base_query(connection, options.base)}")
    connection.execute("CHECKPOINT")


def ingest(options, report):
    connection = duckdb_job.connect(options.target)
    return duckdb_job.keep(connection, report, options.csv, "main", "CHECKPOINT")


if __name__ == "__main__":
    settings = [*duckdb_job.SETTINGS, "MERGE INTO a native table, one transaction, then CHECKPOINT"]
    perform(__doc__, duckdb.__version__, settings, build, duckdb_job.validate, ingest)
