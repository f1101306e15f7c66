"""The job in Daft: rules as expressions, rejects to Parquet, the customers' Parquet files joined and written anew.

    python daft_rewrite.py customers.csv customers --base base.csv

The target is a folder of Parquet files.
"""

import os
import shutil
from pathlib import Path

os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
os.environ.setdefault("DO_NOT_TRACK", "true")

import daft  # noqa: E402
from daft import DataType, col, lit  # noqa: E402
from daft.functions import to_list, when  # noqa: E402

import polars_job  # noqa: E402
from measure import (  # noqa: E402
    ADDRESS, ATTRIBUTES, DUPLICATE, FALSE, NAMES, NOT_WINDOWS_1252, RULES, STRINGS, TEXTS, TRUE, UNSUPPORTED,
    WHOLE_CENTS, judged, perform)

TYPES = {
    "signup_date": DataType.date(),
    "last_login": DataType.timestamp("us"),
    "total_spend": DataType.decimal128(18, 2),
    "orders": DataType.int32(),
    "opted_in": DataType.bool(),
    "points": DataType.int64(),
}
"""Types of the attributes that are no strings."""

FORMS = {
    "signup_date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "last_login": r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?$",
    "total_spend": WHOLE_CENTS,
    "orders": r"^[+-]?[0-9]+$",
    "points": r"^[+-]?[0-9]+$",
}
"""What a text must look like, as a cast takes more."""


def no(dtype):
    return lit(None).cast(dtype)


def value(name):
    """An attribute converted from its text; NULL if it does not fit."""
    text = col(name)
    if name == "opted_in":
        return when(text.regexp(TRUE), lit(True)).when(text.regexp(FALSE), lit(False)).otherwise(no(TYPES[name]))
    return when(text.regexp(FORMS[name]), text).otherwise(no(DataType.string())).try_cast(TYPES[name])


def too_long(name):
    """Bytes are at least as many as UTF-16 units, so nearly every text is judged by its length in bytes."""
    text = when(col(name).length_bytes() > 4000, col(name)).otherwise(no(DataType.string()))
    units = text.length() + text.regexp_replace(r"[^\x{10000}-\x{10FFFF}]", "").length()
    return (units > 8000) | ((units > 4000) & text.regexp(NOT_WINDOWS_1252))


def any_of(conditions):
    result = None
    for condition in conditions:
        known = condition.fill_null(False)
        result = known if result is None else result | known
    return result


def rules():
    """Each rule that looks at one row, in the order of RULES; the value of `x` is `x_value`."""
    dates = [col("signup_date_value"), col("last_login_value").cast(DataType.date())]
    defaults = [lit("1900-01-01").cast(DataType.date()), lit("1989-01-01").cast(DataType.date())]
    return [
        col("cid").is_null(),
        any_of(col(name).not_null() & col(f"{name}_value").is_null() for name in TYPES),
        any_of(date == default for date in dates for default in defaults),
        any_of(date < lit("1753-01-01").cast(DataType.date()) for date in dates),
        any_of(too_long(name) for name in STRINGS),
        any_of(col(name).regexp(UNSUPPORTED) for name in TEXTS),
        any_of([~col("email").regexp(ADDRESS), col("email").length() > 254]),
    ]


def judge(csv, kept):
    """Of each row the columns in `kept`, and `mask`, one bit a rule; held in memory, as it is used three times."""
    texts = daft.read_csv(
        str(csv), infer_schema=False, schema={name: DataType.string() for name in ["cid", *ATTRIBUTES]})
    texts = texts.with_columns_renamed(ATTRIBUTES)
    # An empty cell is an empty text here.
    empty = no(DataType.string())
    texts = texts.select(*(when(col(name) != "", col(name)).otherwise(empty).alias(name) for name in ["cid", *NAMES]))
    values = texts.with_columns({f"{name}_value": value(name) for name in TYPES})
    bits = sum((rule.cast(DataType.int32()) * (1 << bit) for bit, rule in enumerate(rules())), lit(0))
    found = values.select(*kept, bits.cast(DataType.int32()).alias("broken")).collect()
    groups = found.where(col("cid").not_null()).groupby("cid").agg(col("broken").count().alias("records"))
    repeated = groups.where(col("records") > 1).select("cid", lit(DUPLICATE).cast(DataType.int32()).alias("duplicate"))
    with_duplicates = found.join(repeated, on="cid", how="left")
    return with_duplicates.with_column("mask", col("broken") + col("duplicate").fill_null(0)).collect()


def masks(found):
    counts = found.groupby("mask").agg(col("broken").count().alias("rows")).to_pydict()
    return dict(zip(counts["mask"], counts["rows"]))


def validate(options, report):
    """Keeps of each row its CID and one number."""
    with report.phase("read_and_rules"):
        found = judge(options.csv, ["cid"])
    with report.phase("count"):
        return judged(masks(found))


def build(options):
    """Written by Polars, as the base of the others is; in files, so that they can be read at once."""
    Path(options.target).mkdir()
    polars_job.base_table(options.base).sink_parquet(f"{options.target}/part-0.parquet", compression="zstd")


def ingest(options, report):
    with report.phase("read_and_rules"):
        found = judge(options.csv, ["cid", *NAMES, *(f"{name}_value" for name in TYPES)])
        facts = judged(masks(found))
    with report.phase("rejects"):
        keep_rejects(found.where(col("mask") > 0), options.rejects)
    before = rows(options.target)
    with report.phase("merge"):
        merge(options.target, found.where(col("mask") == 0))
    inserted = rows(options.target) - before
    return facts | {"rows_updated": facts["rows_read"] - facts["rows_rejected"] - inserted, "rows_inserted": inserted}


def keep_rejects(rejects, path):
    """All rejects, with all their reasons and their texts as they came."""
    words = [when(col("mask").bitwise_and(1 << bit) > 0, lit(rule)).otherwise(no(DataType.string()))
             for bit, rule in enumerate(RULES)]
    reasons = to_list(*words).list_filter(daft.element().not_null()).alias("rules")
    rejects.select("cid", *NAMES, reasons).write_parquet(path, write_mode="overwrite")


def merge(target, accepted):
    """Joins, takes the change set's values where it has the customer, writes the files anew."""
    zoned = DataType.timestamp("us", "UTC")
    source = accepted.select(
        col("cid").alias("customer_id"), lit(True).alias("sent"),
        *((col(f"{name}_value") if name in TYPES else col(name)).alias(f"{name}_new") for name in NAMES))
    table = daft.read_parquet(f"{target}/*.parquet")
    joined = table.join(source, on="customer_id", how="outer")

    def taken(name):
        new = col(f"{name}_new")
        new = new.replace_time_zone("UTC").cast(zoned) if name == "last_login" else new
        return when(col("sent").fill_null(False), new).otherwise(col(name)).alias(name)

    columns = [taken(name) if name in NAMES else col(name) for name in table.column_names]
    joined.select(*columns).write_parquet(f"{target}.new", compression="zstd")
    shutil.rmtree(target)
    os.replace(f"{target}.new", target)


def rows(target):
    return daft.read_parquet(f"{target}/*.parquet").count_rows()


if __name__ == "__main__":
    settings = ["native runner, defaults, all cores", "CSV of texts; judged rows held in memory",
                "Parquet files joined and written anew, zstd; rejects to Parquet"]
    perform(__doc__, daft.__version__, settings, build, validate, ingest)
