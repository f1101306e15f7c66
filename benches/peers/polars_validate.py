"""Validation alone in Polars: CSV as text, rules as expressions on the streaming engine, the rejects counted by rule.

    python polars_validate.py customers.csv --expect-rejected N

Polars fills short records with empty cells and cuts long ones without a word, so it cannot reject them.
"""

from datetime import date as date_of

import polars as pl
from polars import col

from measure import (
    ADDRESS, ATTRIBUTES, NOT_WINDOWS_1252, STRINGS, UNSUPPORTED, WHOLE_CENTS, Report, counts_by_rule,
    validation_arguments)

TEXTS = ["cid", *STRINGS]
DEFAULTS = [date_of(1900, 1, 1), date_of(1989, 1, 1)]
EARLIEST = date_of(1753, 1, 1)
BOOLEAN = r"^(?i:true|t|yes|y|1|false|f|no|n|0)$"


def login():
    """The timestamp; whole seconds take the fast parser."""
    text, seconds = col("last_login"), "%Y-%m-%d %H:%M:%S"
    whole = text.str.len_bytes() == 19
    return pl.coalesce(
        pl.when(whole).then(text).str.to_datetime(seconds, time_unit="us", strict=False),
        pl.when(~whole).then(text).str.to_datetime(f"{seconds}%.f", time_unit="us", strict=False))


def fits():
    """Whether each typed text fits; a decimal cast rounds, so the text must say whole cents."""
    cents = col("total_spend").str.contains(WHOLE_CENTS)
    return {
        "signup_date": col("signup").is_not_null() & (col("signup_date").str.len_bytes() == 10),
        "last_login": col("login").is_not_null(),
        "total_spend": cents & col("total_spend").cast(pl.Decimal(18, 2), strict=False).is_not_null(),
        "orders": col("orders").cast(pl.Int32, strict=False).is_not_null(),
        "opted_in": col("opted_in").str.contains(BOOLEAN),
        "points": col("points").cast(pl.Int64, strict=False).is_not_null(),
    }


def too_long(name):
    """Bytes are at least as many as UTF-16 units, so nearly every text is judged by its length in bytes."""
    text = pl.when(col(name).str.len_bytes() > 4000).then(col(name))
    units = text.str.len_chars() + text.str.count_matches(r"[\x{10000}-\x{10FFFF}]")
    return (units > 8000) | ((units > 4000) & text.str.contains(NOT_WINDOWS_1252))


def rules():
    """Id and expression of each rule that looks at one row."""
    email, signup, login_date = col("email"), col("signup"), col("login").dt.date()
    return {
        "cid_null": col("cid") == "",
        "type_mismatch": pl.any_horizontal((col(name) != "") & ~fit for name, fit in fits().items()),
        "date_default": signup.is_in(DEFAULTS) | login_date.is_in(DEFAULTS),
        "date_too_early": (signup < EARLIEST) | (login_date < EARLIEST),
        "string_too_long": pl.any_horizontal(too_long(name) for name in STRINGS),
        # One match over the texts joined costs less than five.
        "unsupported_character": pl.concat_str(TEXTS, separator="|").str.contains(UNSUPPORTED),
        "email_invalid": (email != "") & (~email.str.contains(ADDRESS) | (email.str.len_chars() > 254)),
    }


def judge(csv, encoding):
    """Keeps of each row its CID and one bit a broken rule."""
    texts = pl.scan_csv(
        csv, schema={name: pl.String for name in ["cid", *ATTRIBUTES]}, encoding=encoding, empty_string_is_null=False,
        truncate_ragged_lines=True).rename(ATTRIBUTES)
    values = texts.with_columns(signup=col("signup_date").str.to_date("%Y-%m-%d", strict=False), login=login())
    bits = [rule.fill_null(False).cast(pl.UInt8) * (1 << bit) for bit, rule in enumerate(rules().values())]
    return values.select("cid", broken=pl.sum_horizontal(bits).cast(pl.UInt8)).collect(engine="streaming")


def repeated(judged):
    """How many records share their CID with another, and how many of them break a rule besides.

    Grouping by hash is cheaper than grouping by text; what shares a hash is grouped by text.
    """
    hashed = judged.lazy().filter(col("cid") != "").with_columns(hash=col("cid").hash())
    suspects = hashed.group_by("hash").len().filter(col("len") > 1).select("hash")
    groups = hashed.join(suspects, on="hash", how="semi").group_by("cid").agg(
        records=pl.len(), broken_records=(col("broken") > 0).sum()).filter(col("records") > 1)
    return groups.select(col("records", "broken_records").sum()).collect(engine="streaming").row(0)


def main():
    options = validation_arguments(__doc__)
    report = Report("polars_validate", pl.__version__)
    with report.phase("read_and_rules"):
        try:
            judged = judge(options.csv, "utf8")
        except pl.exceptions.ComputeError:
            # Slower: replaces what is no UTF-8, so that the rest of the file can be judged.
            judged = judge(options.csv, "utf8-lossy")
    with report.phase("duplicates"):
        duplicates, duplicates_broken = repeated(judged)
    with report.phase("count"):
        masks = dict(judged.lazy().group_by("broken").len().collect(engine="streaming").iter_rows())
    broken = sum(rows for mask, rows in masks.items() if mask)
    report.finish(
        options.expect_rejected,
        rows_read=judged.height,
        rows_rejected=broken + duplicates - duplicates_broken,
        rule_counts=counts_by_rule(rules(), masks) | {"cid_duplicate": duplicates},
    )


if __name__ == "__main__":
    main()
