"""The job in DuckDB: CSV with a rejects table, rules as SQL, MERGE INTO a native table.

    python duckdb_merge.py customers.csv customers.duckdb --base base.csv
"""

import duckdb

from measure import ADDRESS, ATTRIBUTES, NAMES, NOT_WINDOWS_1252, STRINGS, UNSUPPORTED, Report, arguments

TYPES = {
    "signup_date": "DATE",
    "last_login": "TIMESTAMPTZ",
    "total_spend": "DECIMAL(18,2)",
    "orders": "INTEGER",
    "opted_in": "BOOLEAN",
    "points": "BIGINT",
}


def prepare(connection, base):
    """The customer table with every attribute, if it is not there yet."""
    found = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'customers'").fetchone()
    if not found:
        source = "SELECT NULL::VARCHAR AS customer_id LIMIT 0"
        if base:
            source = f"SELECT * FROM read_csv('{base}', header = true, types = {{'customer_id': 'VARCHAR'}})"
        connection.execute(f"CREATE TABLE customers AS {source}")
    for name in NAMES:
        connection.execute(f"ALTER TABLE customers ADD COLUMN IF NOT EXISTS {name} {TYPES.get(name, 'VARCHAR')}")
    connection.execute("CHECKPOINT")


def fits(name):
    """Whether a text converts to the attribute's type without loss; a plain cast would round."""
    if name in ("orders", "points"):
        return f"regexp_full_match({name}, '[+-]?[0-9]+') AND TRY_CAST({name} AS {TYPES[name]}) IS NOT NULL"
    if name == "total_spend":
        return f"TRY_CAST({name} AS DECIMAL(18,2)) = TRY_CAST({name} AS DECIMAL(38,10))"
    if name == "signup_date":
        return f"length({name}) = 10 AND TRY_CAST({name} AS DATE) IS NOT NULL"
    return f"TRY_CAST({name} AS {TYPES[name]}) IS NOT NULL"


def rules():
    """Id and SQL of each rule that looks at one row; the typed value of `x` is `x_value`."""
    dates = ["signup_date_value", "last_login_value"]
    default = " OR ".join(f"{date}::DATE IN (DATE '1900-01-01', DATE '1989-01-01')" for date in dates)
    early = " OR ".join(f"{date} < TIMESTAMP '1753-01-01'" for date in dates)
    too_long = " OR ".join(
        f"(length({name}) > 4000 AND (length({name}) > 8000 OR regexp_matches({name}, '{NOT_WINDOWS_1252}')))"
        for name in STRINGS
    )
    return {
        "cid_null": "cid IS NULL",
        "type_mismatch": " OR ".join(f"({name} IS NOT NULL AND NOT coalesce({fits(name)}, false))" for name in TYPES),
        "date_default": default,
        "date_too_early": early,
        "string_too_long": too_long,
        "unsupported_character": " OR ".join(f"regexp_matches({name}, '{UNSUPPORTED}')" for name in ["cid", *STRINGS]),
        "email_invalid": f"NOT regexp_matches(email, '{ADDRESS}') OR length(email) > 254",
    }


def stage(connection, csv):
    """Reads the file and judges each row: `broken` has one bit a rule. Malformed lines go to `reject_errors`."""
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in ["cid", *NAMES])
    values = ", ".join(f"TRY_CAST({name} AS {dtype}) AS {name}_value" for name, dtype in TYPES.items())
    bits = " + ".join(f"CASE WHEN {sql} THEN {1 << bit} ELSE 0 END" for bit, sql in enumerate(rules().values()))
    connection.execute(f"""
        CREATE TEMP TABLE staged AS
        SELECT *, {bits} AS broken FROM (
            SELECT *, {values} FROM read_csv(?, columns = {{{columns}}}, header = true, auto_detect = false,
                delim = ',', quote = '"', escape = '"', new_line = '\\n', strict_mode = true,
                max_line_size = 16777216, store_rejects = true, rejects_limit = 0))
    """, [csv])
    connection.execute("""
        CREATE TEMP TABLE duplicates AS
        SELECT cid FROM staged WHERE cid IS NOT NULL GROUP BY cid HAVING count(*) > 1
    """)


def keep_rejects(connection):
    """All rejects, with all their reasons, in a table."""
    ids = ", ".join(f"CASE WHEN broken & {1 << bit} > 0 THEN '{rule}' END" for bit, rule in enumerate(rules()))
    texts = ", ".join(["cid", *NAMES])
    connection.execute(f"""
        CREATE OR REPLACE TABLE rejects AS
        SELECT list_filter([{ids}, CASE WHEN d.cid IS NOT NULL THEN 'cid_duplicate' END], lambda r: r IS NOT NULL) AS rules,
               NULL::BIGINT AS line, NULL::VARCHAR AS raw, staged.* EXCLUDE (broken)
        FROM staged LEFT JOIN duplicates d ON staged.cid = d.cid
        WHERE broken > 0 OR d.cid IS NOT NULL
    """)
    connection.execute("""
        INSERT INTO rejects BY NAME
        SELECT CASE WHEN bool_or(error_type = 'INVALID ENCODING') THEN ['invalid_encoding'] ELSE ['malformed_record'] END
               AS rules, line, any_value(csv_line) AS raw
        FROM reject_errors GROUP BY line
    """)


def merge(connection):
    """Accepted rows into the customers; returns how many were updated and inserted."""
    source = ", ".join(f"{name}_value AS {name}" if name in TYPES else name for name in NAMES)
    sets = ", ".join(f"{name} = source.{name}" for name in NAMES)
    columns, values = ", ".join(NAMES), ", ".join(f"source.{name}" for name in NAMES)
    before = connection.execute("SELECT count(*) FROM customers").fetchone()[0]
    accepted = connection.execute(f"""
        MERGE INTO customers USING (
            SELECT cid, {source} FROM staged WHERE broken = 0 AND cid NOT IN (SELECT cid FROM duplicates)
        ) AS source ON customers.customer_id = source.cid
        WHEN MATCHED THEN UPDATE SET {sets}
        WHEN NOT MATCHED THEN INSERT (customer_id, {columns}) VALUES (source.cid, {values})
    """).fetchone()[0]
    inserted = connection.execute("SELECT count(*) FROM customers").fetchone()[0] - before
    return accepted - inserted, inserted


def main():
    options = arguments(__doc__)
    connection = duckdb.connect(options.target)
    connection.execute("SET TimeZone = 'UTC'")
    prepare(connection, options.base)
    if options.csv == "-":
        return
    report = Report("duckdb_merge", duckdb.__version__)
    with report.phase("read_and_rules"):
        stage(connection, options.csv)
    connection.execute("BEGIN")
    with report.phase("rejects"):
        keep_rejects(connection)
    with report.phase("merge"):
        updated, inserted = merge(connection)
    with report.phase("commit"):
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    by_rule = connection.execute(
        "SELECT rule, count(*) FROM (SELECT unnest(rules) AS rule FROM rejects) GROUP BY rule ORDER BY rule").fetchall()
    rejected = connection.execute("SELECT count(*) FROM rejects").fetchone()[0]
    report.finish(
        options.expect_rejected,
        rows_read=updated + inserted + rejected,
        rows_rejected=rejected,
        rows_updated=updated,
        rows_inserted=inserted,
        rule_counts=dict(by_rule),
    )


if __name__ == "__main__":
    main()
