"""Prints a Delta table as canonical CSV text, read by a reader of one's choice.

    python read_customers.py TABLE polars|deltalake|duckdb|sail

Rows are in the order of the bytes of `customer_id`. The same table gives the same bytes whoever reads it:
NULL is \\N, an empty string is an empty field, decimals are plain with all digits of their scale, timestamps are
microseconds since 1970-01-01T00:00:00Z, dates are ISO, booleans are true and false, doubles are the shortest text
that reads back. A string is quoted if it holds a comma, a quote, CR or LF, or is \\N itself. Lines end with LF.
"""

import argparse
import sys
from pathlib import Path

import polars

KEY = "customer_id"
NULL = "\\N"


def read_polars(folder):
    return polars.scan_delta(folder).collect()


def read_deltalake(folder):
    from deltalake import DeltaTable, QueryBuilder

    rows = QueryBuilder().register("customers", DeltaTable(folder)).execute("SELECT * FROM customers")
    return polars.DataFrame(rows)


def read_duckdb(folder):
    import duckdb
    import duckdb_extension_delta

    packaged = Path(duckdb_extension_delta.__file__).parent
    extension = next(packaged.rglob("delta.duckdb_extension"))
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.load_extension(str(extension))
    connection.execute("SET TimeZone = 'UTC'")
    return polars.DataFrame(connection.execute("SELECT * FROM delta_scan(?)", [folder]).to_arrow_reader())


def read_sail(folder):
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer(port=0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    rows = polars.DataFrame(spark.read.format("delta").load(folder).toArrow())
    # Without this the process does not end.
    spark.stop()
    server.stop()
    return rows


READERS = {"polars": read_polars, "deltalake": read_deltalake, "duckdb": read_duckdb, "sail": read_sail}


def quoted(text):
    if text == NULL or any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def formatter(name, dtype):
    """How the values of a column become text."""
    if dtype == polars.String:
        return quoted
    if dtype == polars.Boolean:
        return lambda value: "true" if value else "false"
    if dtype == polars.Date:
        return lambda value: value.isoformat()
    if dtype == polars.Decimal:
        return lambda value: format(value, "f")
    if dtype.is_float():
        return repr
    if dtype.is_integer() or dtype == polars.Datetime:
        return str
    raise SystemExit(f"column {name}: no canonical text for {dtype}")


def canonical(table):
    """The lines of the canonical text."""
    names = table.columns
    formats = [formatter(name, dtype) for name, dtype in table.schema.items()]
    instants = polars.selectors.datetime()
    rows = table.sort(KEY).with_columns(instants.dt.epoch("us")).iter_rows()
    yield ",".join(map(quoted, names)) + "\n"
    for row in rows:
        yield ",".join(NULL if value is None else text(value) for text, value in zip(formats, row)) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Print a Delta table as canonical CSV text.")
    parser.add_argument("table", help="folder or URL of the Delta table")
    parser.add_argument("reader", choices=sorted(READERS))
    arguments = parser.parse_args()
    table = READERS[arguments.reader](arguments.table)
    out = sys.stdout.buffer
    for line in canonical(table):
        out.write(line.encode())


if __name__ == "__main__":
    main()
