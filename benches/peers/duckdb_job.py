"""The job in DuckDB, whatever keeps the customers: rules, rejects as a table, MERGE INTO, commit."""

import duckdb

import duckdb_rules
from duckdb_rules import MASK, VALUES
from measure import NAMES

TYPES = {
    "signup_date": "DATE",
    "last_login": "TIMESTAMPTZ",
    "total_spend": "DECIMAL(18,2)",
    "orders": "INTEGER",
    "opted_in": "BOOLEAN",
    "points": "BIGINT",
}

SETTINGS = ["threads and memory: DuckDB's defaults, all cores and 80 % of memory",
            "preserve_insertion_order = false, as its guide for large loads says",
            "read_csv: all columns text, no sniffing, parallel, store_rejects"]


def connect(database=":memory:", **config):
    connection = duckdb.connect(database, config=config)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = false")
    return connection


def base_query(connection, base):
    """The customers of a base file, or none, with every attribute of the customer file."""
    source = "SELECT NULL::VARCHAR AS customer_id LIMIT 0"
    if base:
        source = f"SELECT * FROM read_csv('{base}', header = true, types = {{'customer_id': 'VARCHAR'}})"
    there = {row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()}
    missing = [f"NULL::{TYPES.get(name, 'VARCHAR')} AS {name}" for name in NAMES if name not in there]
    return f"SELECT {', '.join(['*', *missing])} FROM ({source})"


def validate(options, report):
    """Keeps of each row its CID and one byte."""
    connection = connect()
    with report.phase("read_and_rules"):
        duckdb_rules.judge(connection, options.csv, "cid")
    with report.phase("count"):
        return duckdb_rules.found(connection, f"SELECT {MASK} AS mask, count(*) AS rows FROM judged GROUP BY 1")


def judge(connection, csv):
    duckdb_rules.judge(connection, csv, "*")


KEEP_REJECTS = f"""
    SELECT {duckdb_rules.reasons("mask")} AS rules, NULL::BIGINT AS line, NULL::VARCHAR AS raw, * EXCLUDE (broken)
    FROM (SELECT *, {MASK} AS mask FROM judged) WHERE mask > 0
    UNION ALL BY NAME
    SELECT CASE WHEN bool_or(error_type = 'INVALID ENCODING') THEN ['invalid_encoding'] ELSE ['malformed_record'] END
           AS rules, line, any_value(csv_line) AS raw
    FROM reject_errors GROUP BY line
"""
"""All rejects, with all their reasons and their texts as they came."""

ACCEPTED = f"""
    SELECT cid AS customer_id, {", ".join(
        f"{name}_value::{TYPES[name]} AS {name}" if name in VALUES else name for name in NAMES)}
    FROM judged WHERE broken = 0 AND cid NOT IN (SELECT cid FROM duplicates)
"""


def merge_into(connection, customers):
    """Accepted rows into the customers; how many met one, and how many were new."""
    sets = ", ".join(f"{name} = source.{name}" for name in NAMES)
    columns, values = ", ".join(NAMES), ", ".join(f"source.{name}" for name in NAMES)
    before = connection.execute(f"SELECT count(*) FROM {customers}").fetchone()[0]
    accepted = connection.execute(f"""
        MERGE INTO {customers} AS customers USING ({ACCEPTED}) AS source
        ON customers.customer_id = source.customer_id
        WHEN MATCHED THEN UPDATE SET {sets}
        WHEN NOT MATCHED THEN INSERT (customer_id, {columns}) VALUES (source.customer_id, {values})
    """).fetchone()[0]
    inserted = connection.execute(f"SELECT count(*) FROM {customers}").fetchone()[0] - before
    return accepted - inserted, inserted


def keep(connection, report, csv, place, after=""):
    """The job in one transaction, in the schema or lake `place`, its tables `customers` and `rejects`; `after` is SQL."""
    with report.phase("read_and_rules"):
        judge(connection, csv)
    connection.execute("BEGIN")
    with report.phase("rejects"):
        connection.execute(f"CREATE OR REPLACE TABLE {place}.rejects AS {KEEP_REJECTS}")
    with report.phase("merge"):
        updated, inserted = merge_into(connection, f"{place}.customers")
    with report.phase("commit"):
        connection.execute(f"COMMIT; {after}")
    facts = duckdb_rules.found(connection, f"SELECT mask, count(*) AS rows FROM {place}.rejects"
                                           " WHERE mask IS NOT NULL GROUP BY mask")
    return merged(facts, updated, inserted)


def merged(facts, updated, inserted):
    """What a report says of a run, from its rejects and what became of the rest."""
    return facts | {"rows_read": facts["rows_rejected"] + updated + inserted,
                    "rows_updated": updated, "rows_inserted": inserted}
