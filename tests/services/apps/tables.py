"""When tables were last changed, which fakesnow does not know."""

import time

import sqlglot
from sqlglot import exp

CHANGING = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.TruncateTable, exp.Alter, exp.Drop)
NAMING = ("TABLE_SCHEMA", "TABLE_NAME")


class Changes:
    """The time of the last change of each table, by schema and name."""

    def __init__(self):
        self.at = {}

    def note(self, sql, data):
        """Takes a statement that was executed into account."""
        try:
            statement = sqlglot.parse_one(sql, read="snowflake")
        except sqlglot.errors.ParseError:
            return
        table = statement.find(exp.Table) if isinstance(statement, CHANGING) else None
        if table is not None:
            schema = name_of(table.args.get("db")) or (data or {}).get("finalSchemaName")
            self.at[schema, name_of(table.this)] = time.time_ns()

    def dated(self, columns, rows):
        """Rows of INFORMATION_SCHEMA.TABLES with the times that are known here."""
        names = [column["name"] for column in columns]
        if "LAST_ALTERED" not in names or not all(name in names for name in NAMING):
            return rows
        schema, table, altered = (names.index(name) for name in (*NAMING, "LAST_ALTERED"))
        for row in rows:
            changed = self.at.get((row[schema], row[table]))
            if changed is not None:
                zone = " 1440" if " " in str(row[altered]) else ""
                row[altered] = f"{changed // 10**9}.{changed % 10**9:09d}{zone}"
        return rows


def name_of(identifier):
    if identifier is None:
        return None
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()
