"""The job in DuckDB over Parquet: rules as SQL, rejects to a file, the customers' Parquet file joined and rewritten.

    python duckdb_parquet.py customers.csv customers.parquet --base base.csv
"""

import os

import duckdb

import duckdb_job
from duckdb_rules import found
from measure import NAMES, perform

PARQUET = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2"


def build(options):
    connection = duckdb_job.connect()
    connection.execute("SET preserve_insertion_order = true")
    connection.execute(f"COPY ({duckdb_job.base_query(connection, options.base)}) TO '{options.target}' ({PARQUET})")


def ingest(options, report):
    connection = duckdb_job.connect()
    with report.phase("read_and_rules"):
        duckdb_job.judge(connection, options.csv)
    with report.phase("rejects"):
        connection.execute(f"CREATE TEMP TABLE rejects AS {duckdb_job.KEEP_REJECTS}")
        connection.execute(f"COPY rejects TO '{options.rejects}' (FORMAT parquet)")
    count = f"SELECT count(*) FROM '{options.target}'"
    before = connection.execute(count).fetchone()[0]
    with report.phase("merge"):
        accepted = rewrite(connection, options.target)
    inserted = connection.execute(count).fetchone()[0] - before
    facts = found(connection, "SELECT mask, count(*) AS rows FROM rejects WHERE mask IS NOT NULL GROUP BY mask")
    return duckdb_job.merged(facts, accepted - inserted, inserted)


def rewrite(connection, target):
    """Joins, takes the change set's values where it has the customer; how many rows it has."""
    taken = ", ".join(f"CASE WHEN source.customer_id IS NULL THEN old.{name} ELSE source.{name} END AS {name}"
                      for name in NAMES)
    connection.execute(f"CREATE TEMP VIEW source AS {duckdb_job.ACCEPTED}")
    connection.execute(f"""
        COPY (
            SELECT old.* REPLACE (coalesce(old.customer_id, source.customer_id) AS customer_id, {taken})
            FROM '{target}' AS old FULL JOIN source ON old.customer_id = source.customer_id
        ) TO '{target}.new' ({PARQUET})
    """)
    os.replace(f"{target}.new", target)
    return connection.execute("SELECT count(*) FROM source").fetchone()[0]


if __name__ == "__main__":
    settings = [*duckdb_job.SETTINGS, f"one Parquet file joined and written anew, {PARQUET}, rejects beside it"]
    perform(__doc__, duckdb.__version__, settings, build, None, ingest)
