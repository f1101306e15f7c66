"""Validation alone in DuckDB: CSV as text with a rejects table, rules as SQL, the rejects counted by rule.

    python duckdb_validate.py customers.csv --expect-rejected N
"""

import duckdb

from measure import (
    ADDRESS, NAMES, NOT_WINDOWS_1252, STRINGS, UNSUPPORTED, WHOLE_CENTS, Report, counts_by_rule, validation_arguments)

TEXTS = ["cid", *STRINGS]
DEFAULTS = "(DATE '1900-01-01', DATE '1989-01-01')"

# A cast to TIMESTAMP is three times as fast as one to TIMESTAMPTZ, and drops a zone without a word.
VALUES = """
    TRY_CAST(signup_date AS DATE) AS signup,
    CASE WHEN strlen(last_login) IN (19, 26) THEN TRY_CAST(last_login AS TIMESTAMP)
         ELSE timezone('UTC', TRY_CAST(last_login AS TIMESTAMPTZ)) END AS login
"""

# A plain cast rounds, and takes 2023-2-3, 2023/02/03 and 1e3.
FITS = {
    "signup_date": "strlen(signup_date) = 10 AND signup_date LIKE '____-__-__' AND signup IS NOT NULL",
    "last_login": "strlen(last_login) >= 19 AND login IS NOT NULL",
    "total_spend":
        f"regexp_matches(total_spend, '{WHOLE_CENTS}') AND TRY_CAST(total_spend AS DECIMAL(18,2)) IS NOT NULL",
    "orders": "regexp_full_match(orders, '[+-]?[0-9]+') AND TRY_CAST(orders AS INTEGER) IS NOT NULL",
    "opted_in": "TRY_CAST(opted_in AS BOOLEAN) IS NOT NULL",
    "points": "regexp_full_match(points, '[+-]?[0-9]+') AND TRY_CAST(points AS BIGINT) IS NOT NULL",
}


def too_long(name):
    """Bytes are at least as many as UTF-16 units, so nearly every text is judged by its length in bytes."""
    astral = f"length(regexp_replace({name}, '[^\\x{{10000}}-\\x{{10FFFF}}]', '', 'g'))"
    units = f"length({name}) + {astral}"
    return (f"CASE WHEN strlen({name}) > 4000 THEN {units} > 8000"
            f" OR ({units} > 4000 AND regexp_matches({name}, '{NOT_WINDOWS_1252}')) ELSE false END")


def rules():
    """Id and SQL of each rule that looks at one row."""
    return {
        "cid_null": "cid IS NULL",
        "type_mismatch":
            " OR ".join(f"({name} IS NOT NULL AND NOT coalesce({fit}, false))" for name, fit in FITS.items()),
        "date_default": f"signup IN {DEFAULTS} OR login::DATE IN {DEFAULTS}",
        "date_too_early": "signup < DATE '1753-01-01' OR login < TIMESTAMP '1753-01-01'",
        "string_too_long": " OR ".join(map(too_long, STRINGS)),
        # One match over the texts joined costs less than five.
        "unsupported_character": f"regexp_matches(concat_ws('|', {', '.join(TEXTS)}), '{UNSUPPORTED}')",
        "email_invalid": f"NOT regexp_matches(email, '{ADDRESS}') OR length(email) > 254",
    }


def judge(connection, csv):
    """Keeps of each row its CID and one bit a broken rule. Malformed lines go to `reject_errors`."""
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in ["cid", *NAMES])
    bits = " + ".join(f"CASE WHEN {sql} THEN {1 << bit} ELSE 0 END" for bit, sql in enumerate(rules().values()))
    connection.execute(f"""
        CREATE TEMP TABLE judged AS
        SELECT cid, ({bits})::UTINYINT AS broken FROM (
            SELECT *, {VALUES} FROM read_csv(?, columns = {{{columns}}}, header = true, auto_detect = false,
                delim = ',', quote = '"', escape = '"', new_line = '\\n', strict_mode = true, parallel = true,
                max_line_size = 16777216, store_rejects = true, rejects_limit = 0))
    """, [csv])


def repeated(connection):
    """How many records share their CID with another, and how many of them break a rule besides."""
    return connection.execute("""
        SELECT coalesce(sum(records), 0)::BIGINT, coalesce(sum(broken_records), 0)::BIGINT FROM (
            SELECT count(*) AS records, count_if(broken > 0) AS broken_records
            FROM judged WHERE cid IS NOT NULL GROUP BY cid HAVING count(*) > 1)
    """).fetchone()


def malformed(connection):
    """Records that the reader refused, by rule: one may have several errors."""
    return dict(connection.execute("""
        SELECT rule, count(*) FROM (
            SELECT CASE WHEN bool_or(error_type = 'INVALID ENCODING') THEN 'invalid_encoding'
                        ELSE 'malformed_record' END AS rule
            FROM reject_errors GROUP BY line_byte_position)
        GROUP BY rule
    """).fetchall())


def main():
    options = validation_arguments(__doc__)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = false")
    report = Report("duckdb_validate", duckdb.__version__)
    with report.phase("read_and_rules"):
        judge(connection, options.csv)
    with report.phase("duplicates"):
        duplicates, duplicates_broken = repeated(connection)
    with report.phase("count"):
        masks = dict(connection.execute("SELECT broken, count(*) FROM judged GROUP BY broken").fetchall())
        refused = malformed(connection)
    broken = sum(rows for mask, rows in masks.items() if mask)
    report.finish(
        options.expect_rejected,
        rows_read=sum(masks.values()) + sum(refused.values()),
        rows_rejected=sum(refused.values()) + broken + duplicates - duplicates_broken,
        rule_counts=counts_by_rule(rules(), masks) | {"cid_duplicate": duplicates} | refused,
    )


if __name__ == "__main__":
    main()
