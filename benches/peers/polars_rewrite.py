"""The job in Polars: rules as expressions, rejects to Parquet, the customers' Parquet file joined and rewritten.

    python polars_rewrite.py customers.csv customers.parquet --base base.csv

Polars fills short records with NULL and cuts long ones without a word, so it cannot reject them.
"""

import os
from datetime import date as date_of

import polars as pl
from polars import col

from measure import ADDRESS, ATTRIBUTES, NAMES, NOT_WINDOWS_1252, STRINGS, UNSUPPORTED, Report, arguments

BOOLEANS = {"true": True, "t": True, "yes": True, "y": True, "1": True,
            "false": False, "f": False, "no": False, "n": False, "0": False}


def typed():
    """Each attribute that is no string, converted from its text; NULL if it does not fit."""
    spend = col("total_spend")
    whole_cents = spend.str.contains(r"^[+-]?[0-9]*\.?[0-9]{0,2}0*$")
    return {
        "signup_date": col("signup_date").str.to_date("%Y-%m-%d", strict=False),
        "last_login": col("last_login").str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC", strict=False),
        "total_spend": pl.when(whole_cents).then(spend).cast(pl.Decimal(18, 2), strict=False),
        "orders": col("orders").cast(pl.Int32, strict=False),
        "opted_in": col("opted_in").str.to_lowercase().replace_strict(
            BOOLEANS, default=None, return_dtype=pl.Boolean),
        "points": col("points").cast(pl.Int64, strict=False),
    }


def rules():
    """Id and expression of each rule that looks at one row; the text of a converted `x` is `x_text`."""
    dates = [col("signup_date"), col("last_login").dt.date()]
    default = [date.is_in([date_of(1900, 1, 1), date_of(1989, 1, 1)]) for date in dates]
    long = [
        (col(name).str.len_chars() > 4000)
        & ((col(name).str.len_chars() > 8000) | col(name).str.contains(NOT_WINDOWS_1252))
        for name in STRINGS
    ]
    texts = [col(name) for name in ["cid", *STRINGS]]
    email = col("email")
    return {
        "invalid_encoding": pl.any_horizontal(text.str.contains("\N{REPLACEMENT CHARACTER}", literal=True) for text in texts),
        "cid_null": col("cid").is_null(),
        "type_mismatch": pl.any_horizontal(col(name).is_null() & col(f"{name}_text").is_not_null() for name in typed()),
        "date_default": pl.any_horizontal(default),
        "date_too_early": pl.any_horizontal(date < pl.date(1753, 1, 1) for date in dates),
        "string_too_long": pl.any_horizontal(long),
        "unsupported_character": pl.any_horizontal(text.str.contains(UNSUPPORTED) for text in texts),
        "email_invalid": ~email.str.contains(ADDRESS) | (email.str.len_bytes() > 254),
    }


def stage(csv):
    """Every record with its typed cells, their texts, and one column a broken rule."""
    texts = pl.scan_csv(
        csv, schema={name: pl.String for name in ["cid", *ATTRIBUTES]}, encoding="utf8-lossy",
        truncate_ragged_lines=True,
    ).rename(ATTRIBUTES).with_columns(pl.when(pl.all() != "").then(pl.all()))
    cells = texts.with_columns(col(name).alias(f"{name}_text") for name in typed()).with_columns(**typed())
    staged = cells.with_columns(rule.fill_null(False).alias(name) for name, rule in rules().items())
    staged = staged.collect(engine="streaming")
    repeated = staged.lazy().filter(col("cid").is_not_null()).group_by("cid").len().filter(col("len") > 1)
    repeated = repeated.select("cid").collect(engine="streaming")
    return staged.with_columns((col("cid").is_in(repeated["cid"].implode())).fill_null(False).alias("cid_duplicate"))


def split(staged):
    """Rejects with all their reasons, and the change set."""
    ids = [*rules(), "cid_duplicate"]
    broken = pl.any_horizontal(ids)
    reasons = pl.concat_list(pl.when(rule).then(pl.lit(rule)) for rule in ids).list.drop_nulls().alias("rules")
    rejects = staged.filter(broken).with_columns(reasons).drop(ids)
    return rejects, staged.filter(~broken).select(col("cid").alias("customer_id"), *NAMES)


def report_facts(rejects, updated, inserted):
    counts = rejects.select(col("rules").explode()).to_series().value_counts().sort("rules").iter_rows()
    return {
        "rows_read": rejects.height + updated + inserted,
        "rows_rejected": rejects.height,
        "rows_updated": updated,
        "rows_inserted": inserted,
        "rule_counts": dict(counts),
    }


def base_table(base, change_set):
    """The existing customers, with every attribute of the change set."""
    table = pl.DataFrame(schema={"customer_id": pl.String}).lazy()
    if base:
        table = pl.scan_csv(base, try_parse_dates=True, infer_schema_length=10_000)
    names = table.collect_schema().names()
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in change_set.items() if name not in names]
    return table.with_columns(missing)


def merge(target, change_set):
    """Joins, takes the change set's values where it has the customer, writes the table anew."""
    table = pl.scan_parquet(target)
    joined = table.join(
        change_set.lazy().with_columns(pl.lit(True).alias("sent")), on="customer_id", how="full", coalesce=True,
        suffix="_new")
    merged = joined.with_columns(
        pl.when("sent").then(col(f"{name}_new")).otherwise(col(name)).alias(name) for name in NAMES)
    merged.select(table.collect_schema().names()).sink_parquet(f"{target}.new", compression="zstd")
    os.replace(f"{target}.new", target)


def main():
    options = arguments(__doc__)
    report = Report("polars_rewrite", pl.__version__)
    if not os.path.exists(options.target):
        empty = {"customer_id": pl.String, **{name: pl.String for name in STRINGS}, **schema()}
        base_table(options.base, empty).sink_parquet(options.target, compression="zstd")
    if options.csv == "-":
        return
    rows_before = pl.scan_parquet(options.target).select(pl.len()).collect().item()
    with report.phase("read_and_rules"):
        staged = stage(options.csv)
    with report.phase("rejects"):
        rejects, change_set = split(staged)
        rejects.write_parquet(options.rejects)
    with report.phase("merge"):
        merge(options.target, change_set)
    inserted = pl.scan_parquet(options.target).select(pl.len()).collect().item() - rows_before
    report.finish(options.expect_rejected, **report_facts(rejects, change_set.height - inserted, inserted))


def schema():
    """Types of the converted attributes."""
    none = pl.LazyFrame(schema={name: pl.String for name in typed()})
    return dict(none.select(**typed()).collect_schema())


if __name__ == "__main__":
    main()
