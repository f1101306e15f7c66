"""The job in DuckLake: rules as SQL in DuckDB, rejects as a table of the lake, MERGE INTO its customers.

    python ducklake_merge.py customers.csv lake --base base.csv

The target is a folder of the catalogue, a DuckDB file, and the data.
"""

from pathlib import Path

import duckdb
import duckdb_extension_ducklake

import duckdb_job
from measure import perform


def connect(target):
    """A connection with the lake attached; the extension is the one of its Python package."""
    packaged = Path(duckdb_extension_ducklake.__file__).parent
    connection = duckdb_job.connect(allow_unsigned_extensions="true")
    connection.load_extension(str(next(packaged.rglob("ducklake.duckdb_extension"))))
    connection.execute(f"ATTACH 'ducklake:{target}/catalog.ducklake' AS lake"
                       f" (DATA_PATH '{target}/data/', OVERRIDE_DATA_PATH true)")
    return connection


def build(options):
    Path(options.target).mkdir()
    connection = connect(options.target)
    connection.execute("CALL lake.set_option('parquet_compression', 'zstd')")
    connection.execute(f"CREATE TABLE lake.customers AS {duckdb_job.base_query(connection, options.base)}")


def ingest(options, report):
    return duckdb_job.keep(connect(options.target), report, options.csv, "lake")


if __name__ == "__main__":
    settings = [*duckdb_job.SETTINGS, "catalogue in a DuckDB file, parquet_compression = zstd, other options as they are",
                "MERGE INTO a table of the lake, one transaction; no files are merged or deleted afterwards"]
    perform(__doc__, duckdb.__version__, settings, build, None, ingest)
