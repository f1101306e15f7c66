"""The job in Sail: rules as Spark SQL over its CSV reader, rejects to Parquet, MERGE INTO a Delta table.

    python sail_merge.py customers.csv customers_delta --base base.csv

The server is a thread of this process; its start is not timed.
"""

import contextlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("RUST_LOG", "error")

from pysail.spark import SparkConnectServer  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

import delta_merge  # noqa: E402
from measure import (  # noqa: E402
    ADDRESS, ATTRIBUTES, DUPLICATE, FALSE, NAMES, NOT_WINDOWS_1252, RULES, STRINGS, TEXTS, TRUE, UNSUPPORTED,
    WHOLE_CENTS, judged, perform)

VALUES = {
    "signup_date": "CASE WHEN length(signup_date) = 10 THEN try_cast(signup_date AS DATE) END",
    "last_login": "try_cast(last_login AS TIMESTAMP)",
    "total_spend": f"CASE WHEN total_spend RLIKE '{WHOLE_CENTS}' THEN try_cast(total_spend AS DECIMAL(18,2)) END",
    "orders": "CASE WHEN orders RLIKE '^[+-]?[0-9]+$' THEN try_cast(orders AS INT) END",
    "opted_in": f"CASE WHEN opted_in RLIKE '{TRUE}' THEN true WHEN opted_in RLIKE '{FALSE}' THEN false END",
    "points": "CASE WHEN points RLIKE '^[+-]?[0-9]+$' THEN try_cast(points AS BIGINT) END",
}
"""Each attribute that is no string, converted from its text; NULL if it does not fit."""


def too_long(name):
    """Bytes are at least as many as UTF-16 units, so nearly every text is judged by its length in bytes."""
    units = f"length({name}) + length(regexp_replace({name}, '[^\\x{{10000}}-\\x{{10FFFF}}]', ''))"
    return (f"CASE WHEN octet_length({name}) > 4000 THEN {units} > 8000"
            f" OR ({units} > 4000 AND {name} RLIKE '{NOT_WINDOWS_1252}') ELSE false END")


def rules():
    """SQL of each rule that looks at one row, in the order of RULES; the value of `x` is `x_value`."""
    defaults = "(DATE '1900-01-01', DATE '1989-01-01')"
    dates = ["signup_date_value", "CAST(last_login_value AS DATE)"]
    return [
        "cid IS NULL",
        " OR ".join(f"({name} IS NOT NULL AND {name}_value IS NULL)" for name in VALUES),
        " OR ".join(f"{date} IN {defaults}" for date in dates),
        " OR ".join(f"{date} < DATE '1753-01-01'" for date in dates),
        " OR ".join(map(too_long, STRINGS)),
        f"concat_ws('|', {', '.join(TEXTS)}) RLIKE '{UNSUPPORTED}'",
        f"NOT (email RLIKE '{ADDRESS}') OR length(email) > 254",
    ]


@contextlib.contextmanager
def session():
    """A client of a server in this process."""
    server = SparkConnectServer(port=0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    yield spark
    # Without this the process does not end.
    spark.stop()
    server.stop()


def judge(spark, csv, kept, stage):
    """Makes the view `judged`: of each row the columns in `kept`, and `broken`, one bit a rule; staged as Parquet."""
    schema = ", ".join(f"`{name}` STRING" for name in ["cid", *ATTRIBUTES])
    reader = spark.read.schema(schema).option("header", "true").option("multiLine", "true").option("escape", '"')
    renamed = reader.csv(str(csv))
    for column, name in ATTRIBUTES.items():
        renamed = renamed.withColumnRenamed(column, name)
    renamed.createOrReplaceTempView("texts")
    values = ", ".join(f"{sql} AS {name}_value" for name, sql in VALUES.items())
    bits = " + ".join(f"CASE WHEN {sql} THEN {1 << bit} ELSE 0 END" for bit, sql in enumerate(rules()))
    found = spark.sql(escaped(f"SELECT {kept}, {bits} AS broken FROM (SELECT *, {values} FROM texts)"))
    found.write.mode("overwrite").option("compression", "uncompressed").parquet(str(stage))
    spark.read.parquet(str(stage)).createOrReplaceTempView("staged")
    spark.sql(f"""
        SELECT staged.*, broken + CASE WHEN repeated.cid IS NULL THEN 0 ELSE {DUPLICATE} END AS mask
        FROM staged LEFT JOIN (
            SELECT cid FROM staged WHERE cid IS NOT NULL GROUP BY cid HAVING count(*) > 1
        ) AS repeated ON staged.cid = repeated.cid
    """).createOrReplaceTempView("judged")


def escaped(sql):
    """A backslash in a text of Spark SQL is written twice."""
    return sql.replace("\\", "\\\\")


def found(spark):
    return judged({row["mask"]: row["rows"] for row in spark.sql(
        "SELECT mask, count(*) AS rows FROM judged GROUP BY mask").collect()})


def validate(options, report):
    """Keeps of each row its CID and one number."""
    with session() as spark, tempfile.TemporaryDirectory(prefix="sail-") as folder:
        with report.phase("read_and_rules"):
            judge(spark, options.csv, "cid", f"{folder}/judged")
        with report.phase("count"):
            return found(spark)


def ingest(options, report):
    stage, customers = Path(options.target).with_name("judged"), f"delta.`{options.target}`"
    with session() as spark:
        before = count(spark, customers)
        with report.phase("read_and_rules"):
            judge(spark, options.csv, "*", stage)
        with report.phase("rejects"):
            keep_rejects(spark, options.rejects)
            facts = found(spark)
        with report.phase("merge"):
            merge(spark, customers)
            shutil.rmtree(stage)
        inserted = count(spark, customers) - before
    accepted = facts["rows_read"] - facts["rows_rejected"]
    return facts | {"rows_updated": accepted - inserted, "rows_inserted": inserted}


def keep_rejects(spark, path):
    """All rejects, with all their reasons and their texts as they came."""
    words = ", ".join(f"CASE WHEN mask & {1 << bit} > 0 THEN '{rule}' END" for bit, rule in enumerate(RULES))
    rejects = spark.sql(
        f"SELECT cid, {', '.join(NAMES)}, array_compact(array({words})) AS rules FROM judged WHERE mask > 0")
    rejects.write.mode("overwrite").parquet(path)


def merge(spark, customers):
    source = ", ".join(f"{name}_value AS {name}" if name in VALUES else name for name in NAMES)
    sets = ", ".join(f"{name} = source.{name}" for name in NAMES)
    columns, values = ", ".join(NAMES), ", ".join(f"source.{name}" for name in NAMES)
    spark.sql(f"""
        MERGE INTO {customers} AS target USING (
            SELECT cid AS customer_id, {source} FROM judged WHERE mask = 0
        ) AS source ON target.customer_id = source.customer_id
        WHEN MATCHED THEN UPDATE SET {sets}
        WHEN NOT MATCHED THEN INSERT (customer_id, {columns}) VALUES (source.customer_id, {values})
    """).collect()


def count(spark, customers):
    return spark.sql(f"SELECT count(*) AS rows FROM {customers}").collect()[0]["rows"]


if __name__ == "__main__":
    settings = ["server in the process, local mode, defaults; its start is not timed",
                "CSV of texts with multiLine; judged rows staged as uncompressed Parquet, so that the file is read once",
                "MERGE INTO a Delta table over Spark Connect, rejects to Parquet"]
    perform(__doc__, version("pysail"), settings, delta_merge.build, validate, ingest)
