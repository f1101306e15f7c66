"""The rules in Polars: CSV as text, expressions on the streaming engine that make values and judge.

Polars fills short records with empty cells and cuts long ones without a word, so it cannot reject them. What was
tried, and what the others cost, is in README.md.
"""

from datetime import date as date_of

import polars as pl
from polars import col

from measure import (
    ADDRESS, ATTRIBUTES, DUPLICATE, FALSE, NAMES, NOT_WINDOWS_1252, RULES, STRINGS, TEXTS, TRUE, UNSUPPORTED,
    WHOLE_CENTS)

DEFAULTS = [date_of(1900, 1, 1), date_of(1989, 1, 1)]
EARLIEST = date_of(1753, 1, 1)


def login():
    """The timestamp; whole seconds take the fast parser."""
    text, seconds = col("last_login"), "%Y-%m-%d %H:%M:%S"
    whole = text.str.len_bytes() == 19
    return pl.coalesce(
        pl.when(whole).then(text).str.to_datetime(seconds, time_unit="us", strict=False),
        pl.when(~whole).then(text).str.to_datetime(f"{seconds}%.f", time_unit="us", strict=False))


def values():
    """Each attribute that is no string, converted from its text; NULL if it does not fit.

    A decimal cast rounds, so the text must say whole cents.
    """
    spend, opted_in = col("total_spend"), col("opted_in")
    return {
        "signup_date": pl.when(col("signup_date").str.len_bytes() == 10).then(col("signup_date")).str.to_date(
            "%Y-%m-%d", strict=False),
        "last_login": login().dt.replace_time_zone("UTC"),
        "total_spend": pl.when(spend.str.contains(WHOLE_CENTS)).then(spend).cast(pl.Decimal(18, 2), strict=False),
        "orders": col("orders").cast(pl.Int32, strict=False),
        "opted_in": pl.when(opted_in.str.contains(TRUE)).then(True).when(opted_in.str.contains(FALSE)).then(False),
        "points": col("points").cast(pl.Int64, strict=False),
    }


def too_long(name):
    """Bytes are at least as many as UTF-16 units, so nearly every text is judged by its length in bytes."""
    text = pl.when(col(name).str.len_bytes() > 4000).then(col(name))
    units = text.str.len_chars() + text.str.count_matches(r"[\x{10000}-\x{10FFFF}]")
    return (units > 8000) | ((units > 4000) & text.str.contains(NOT_WINDOWS_1252))


def rules():
    """Each rule that looks at one row, in the order of RULES; the value of `x` is `x_value`."""
    email, dates = col("email"), [col("signup_date_value"), col("last_login_value").dt.date()]
    return [
        col("cid") == "",
        pl.any_horizontal((col(name) != "") & col(f"{name}_value").is_null() for name in values()),
        pl.any_horizontal(date.is_in(DEFAULTS) for date in dates),
        pl.any_horizontal(date < EARLIEST for date in dates),
        pl.any_horizontal(too_long(name) for name in STRINGS),
        # One match over the texts joined costs less than five.
        pl.concat_str(TEXTS, separator="|").str.contains(UNSUPPORTED),
        (email != "") & (~email.str.contains(ADDRESS) | (email.str.len_chars() > 254)),
    ]


def judge(csv, kept):
    """Of each row the columns in `kept`, and `broken`, one bit a rule."""
    bits = [rule.fill_null(False).cast(pl.UInt8) * (1 << bit) for bit, rule in enumerate(rules())]

    def read(encoding):
        texts = pl.scan_csv(
            csv, schema={name: pl.String for name in ["cid", *ATTRIBUTES]}, encoding=encoding,
            empty_string_is_null=False, truncate_ragged_lines=True).rename(ATTRIBUTES)
        converted = texts.with_columns(value.alias(f"{name}_value") for name, value in values().items())
        return converted.select(*kept, broken=pl.sum_horizontal(bits).cast(pl.UInt8)).collect(engine="streaming")

    try:
        return read("utf8")
    except pl.exceptions.ComputeError:
        # Slower: replaces what is no UTF-8, so that the rest of the file can be judged.
        return read("utf8-lossy")


def repeated(judged):
    """CIDs that several records have. Grouping by hash is cheaper than by text; what shares a hash is grouped by text."""
    hashed = judged.lazy().select("cid").filter(col("cid") != "").with_columns(hash=col("cid").hash())
    suspects = hashed.group_by("hash").len().filter(col("len") > 1).select("hash")
    groups = hashed.join(suspects, on="hash", how="semi").group_by("cid").len().filter(col("len") > 1)
    return groups.select("cid").collect(engine="streaming")["cid"]


def with_duplicates(judged):
    """What each row broke, duplicates included."""
    duplicate = col("cid").is_in(repeated(judged).implode())
    return judged.with_columns(broken=col("broken") + duplicate.cast(pl.UInt8) * pl.lit(DUPLICATE, pl.UInt8))


def masks(judged):
    """How many rows have each mask of broken rules."""
    return dict(judged.lazy().group_by("broken").len().collect(engine="streaming").iter_rows())


def reasons():
    """The rules of a mask, as a list."""
    words = [pl.when((col("broken") & (1 << bit)) > 0).then(pl.lit(rule)) for bit, rule in enumerate(RULES)]
    return pl.concat_list(words).list.drop_nulls().alias("rules")


KEPT = ["cid", *NAMES, *(f"{name}_value" for name in values())]
"""What a job needs of a row: its texts, if it is rejected, and its values."""


def accepted():
    """The values of a row that passed, an empty text as NULL."""
    texts = [pl.when(col(name) != "").then(col(name)).alias(name) for name in STRINGS]
    named = {expression.meta.output_name(): expression for expression in texts}
    return [col("cid").alias("customer_id"),
            *(named.get(name, col(f"{name}_value").alias(name)) for name in NAMES)]
