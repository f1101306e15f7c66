"""The rules in DuckDB: CSV as text with a rejects table, one projection of SQL that makes values and judges.

What was tried, and what the others cost, is in README.md.
"""

from measure import ADDRESS, DUPLICATE, NAMES, NOT_WINDOWS_1252, RULES, STRINGS, TEXTS, UNSUPPORTED, WHOLE_CENTS
from measure import judged as summed

DEFAULTS = "(DATE '1900-01-01', DATE '1989-01-01')"

# A cast to TIMESTAMP is three times as fast as one to TIMESTAMPTZ, and drops a zone without a word.
VALUES = {
    "signup_date": "TRY_CAST(signup_date AS DATE)",
    "last_login": """CASE WHEN strlen(last_login) IN (19, 26) THEN TRY_CAST(last_login AS TIMESTAMP)
         ELSE timezone('UTC', TRY_CAST(last_login AS TIMESTAMPTZ)) END""",
    "total_spend": "TRY_CAST(total_spend AS DECIMAL(18,2))",
    "orders": "TRY_CAST(orders AS INTEGER)",
    "opted_in": "TRY_CAST(opted_in AS BOOLEAN)",
    "points": "TRY_CAST(points AS BIGINT)",
}
"""Each attribute that is no string, converted from its text; NULL if it does not fit."""

# A plain cast rounds, and takes 2023-2-3, 2023/02/03 and 1e3.
TEXT_FITS = {
    "signup_date": "strlen(signup_date) = 10 AND signup_date LIKE '____-__-__'",
    "last_login": "strlen(last_login) >= 19",
    "total_spend": f"regexp_matches(total_spend, '{WHOLE_CENTS}')",
    "orders": "regexp_full_match(orders, '[+-]?[0-9]+')",
    "opted_in": "true",
    "points": "regexp_full_match(points, '[+-]?[0-9]+')",
}


def too_long(name):
    """Bytes are at least as many as UTF-16 units, so nearly every text is judged by its length in bytes."""
    astral = f"length(regexp_replace({name}, '[^\\x{{10000}}-\\x{{10FFFF}}]', '', 'g'))"
    units = f"length({name}) + {astral}"
    return (f"CASE WHEN strlen({name}) > 4000 THEN {units} > 8000"
            f" OR ({units} > 4000 AND regexp_matches({name}, '{NOT_WINDOWS_1252}')) ELSE false END")


def rules():
    """SQL of each rule that looks at one row, in the order of RULES; the value of `x` is `x_value`."""
    fits = {name: f"{text} AND {name}_value IS NOT NULL" for name, text in TEXT_FITS.items()}
    return [
        "cid IS NULL",
        " OR ".join(f"({name} IS NOT NULL AND NOT coalesce({fit}, false))" for name, fit in fits.items()),
        f"signup_date_value IN {DEFAULTS} OR last_login_value::DATE IN {DEFAULTS}",
        "signup_date_value < DATE '1753-01-01' OR last_login_value < TIMESTAMP '1753-01-01'",
        " OR ".join(map(too_long, STRINGS)),
        # One match over the texts joined costs less than five.
        f"regexp_matches(concat_ws('|', {', '.join(TEXTS)}), '{UNSUPPORTED}')",
        f"NOT regexp_matches(email, '{ADDRESS}') OR length(email) > 254",
    ]


def judge(connection, csv, kept):
    """Makes `judged`: of each row the columns in `kept`, and `broken`, one bit a rule.

    Malformed lines go to `reject_errors`; which CIDs are repeated, to `duplicates`.
    """
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in ["cid", *NAMES])
    values = ", ".join(f"{sql} AS {name}_value" for name, sql in VALUES.items())
    bits = " + ".join(f"CASE WHEN {sql} THEN {1 << bit} ELSE 0 END" for bit, sql in enumerate(rules()))
    connection.execute(f"""
        CREATE TEMP TABLE judged AS
        SELECT {kept}, ({bits})::UTINYINT AS broken FROM (
            SELECT *, {values} FROM read_csv(?, columns = {{{columns}}}, header = true, auto_detect = false,
                delim = ',', quote = '"', escape = '"', new_line = '\\n', strict_mode = true, parallel = true,
                max_line_size = 16777216, store_rejects = true, rejects_limit = 0))
    """, [csv])
    connection.execute("""
        CREATE TEMP TABLE duplicates AS
        SELECT cid FROM judged WHERE cid IS NOT NULL GROUP BY cid HAVING count(*) > 1
    """)


MASK = f"CASE WHEN cid IN (SELECT cid FROM duplicates) THEN broken | {DUPLICATE} ELSE broken END::UTINYINT"
"""What a judged row broke, duplicates included."""


def found(connection, masks):
    """What a report says of the file, from a relation of `mask` and `rows` and the lines that the reader refused."""
    by_mask = dict(connection.execute(f"SELECT mask, rows FROM ({masks})").fetchall())
    refused = dict(connection.execute("""
        SELECT rule, count(*) FROM (
            SELECT CASE WHEN bool_or(error_type = 'INVALID ENCODING') THEN 'invalid_encoding'
                        ELSE 'malformed_record' END AS rule
            FROM reject_errors GROUP BY line_byte_position)
        GROUP BY rule
    """).fetchall())
    facts = summed(by_mask)
    facts["rows_read"] += sum(refused.values())
    facts["rows_rejected"] += sum(refused.values())
    facts["rule_counts"] |= refused
    return facts


def reasons(mask):
    """The rules of a mask, as a list."""
    words = ", ".join(f"CASE WHEN {mask} & {1 << bit} > 0 THEN '{rule}' END" for bit, rule in enumerate(RULES))
    return f"list_filter([{words}], lambda rule: rule IS NOT NULL)"
