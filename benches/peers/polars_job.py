"""The job with Polars for everything but the merge: rules as expressions, rejects to Parquet."""

import polars as pl
from polars import col

import polars_rules
from measure import NAMES, judged
from polars_rules import KEPT

SETTINGS = ["threads: Polars's default, all cores", "scan_csv: all columns text; streaming engine",
            "rejects to a Parquet file"]


def validate(options, report):
    """Keeps of each row its CID and one byte."""
    with report.phase("read_and_rules"):
        found = polars_rules.judge(options.csv, ["cid"])
    with report.phase("duplicates"):
        found = polars_rules.with_duplicates(found)
    with report.phase("count"):
        return judged(polars_rules.masks(found))


def ingest(merge):
    """The job: `merge(target, change_set)` says how many rows met a customer, and how many were new."""
    def job(options, report):
        with report.phase("read_and_rules"):
            found = polars_rules.with_duplicates(polars_rules.judge(options.csv, KEPT))
        with report.phase("rejects"):
            facts = judged(polars_rules.masks(found))
            rejects = found.filter(col("broken") > 0)
            rejects.select("cid", *NAMES, polars_rules.reasons()).write_parquet(options.rejects)
            change_set = found.lazy().filter(col("broken") == 0).select(polars_rules.accepted()).collect()
            del found, rejects
        with report.phase("merge"):
            updated, inserted = merge(options.target, change_set)
        return facts | {"rows_updated": updated, "rows_inserted": inserted}

    return job


def base_table(base):
    """The customers of a base file, or none, with every attribute of the customer file."""
    table = pl.LazyFrame(schema={"customer_id": pl.String})
    if base:
        table = pl.scan_csv(base, try_parse_dates=True, infer_schema_length=10_000)
    there, wanted = table.collect_schema().names(), schema()
    return table.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in wanted.items() if name not in there)


def schema():
    """Names and types of the attributes."""
    texts = pl.LazyFrame(schema={name: pl.String for name in NAMES})
    types = dict(texts.select(**polars_rules.values()).collect_schema())
    return {name: types.get(name, pl.String) for name in NAMES}
