"""What DuckDB says of the same file: its guess, and its records under a dialect that is given."""

import duckdb

ENCODINGS = {"utf-16le": "utf-16", "utf-16be": "utf-16", "utf-16": "utf-16", "iso-8859-1": "latin-1", "utf-8": "utf-8"}


class NotRead(Exception):
    """DuckDB does not read the file; its words."""


def sniffed(file):
    """DuckDB's guess: delimiter, quote, escape, comment, lines to skip, header, names of the columns."""
    try:
        query = "SELECT Delimiter, Quote, Escape, Comment, SkipRows, HasHeader, Columns FROM sniff_csv(?)"
        found = duckdb.connect().execute(query, [str(file)]).fetchone()
    except duckdb.Error as error:
        raise NotRead(str(error).splitlines()[0]) from error
    delimiter, quote, escape, comment, skip_rows, has_header, columns = found
    texts = {"delimiter": delimiter, "quote": quote, "escape": escape, "comment": comment}
    guess = {name: None if text in ("(empty)", "\\0", "") else text for name, text in texts.items()}
    guess["delimiter"] = (guess["delimiter"] or "").replace("\\t", "\t")
    return guess | {"skip_rows": skip_rows, "has_header": has_header, "columns": [column["name"] for column in columns]}


def read(file, dialect, width, skip_rows):
    """The records of `width` fields, and the first bytes of the others; an empty cell is None.

    `skip_rows`: physical lines before the header, blank ones too, comments not.
    """
    if dialect.encoding not in ENCODINGS:
        raise NotRead(f"encoding {dialect.encoding}")
    if dialect.newline == b"\r" and dialect.skip_rows:
        raise NotRead("lines to skip that end in CR")
    quote = (dialect.quote or b"").decode()
    options = {
        "auto_detect": False,
        "delim": dialect.delimiter.decode(),
        "quote": quote,
        "escape": (dialect.escape or b"").decode() or quote,
        "comment": (dialect.comment or b"").decode(),
        "header": dialect.has_header,
        "skip": skip_rows,
        "encoding": ENCODINGS[dialect.encoding],
        "columns": {f"column_{number}": "VARCHAR" for number in range(width)},
        "strict_mode": True,
        "store_rejects": True,
        "max_line_size": 16 << 20,
        "buffer_size": 64 << 20,
        "hive_partitioning": False,
    }
    connection = duckdb.connect()
    given = ", ".join(f"{name} = {literal(value)}" for name, value in options.items())
    try:
        rows = connection.execute(f"SELECT * FROM read_csv({literal(str(file))}, {given})").fetchall()
        rejects = connection.execute("SELECT DISTINCT line_byte_position - 1 AS byte FROM reject_errors ORDER BY byte").fetchall()
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise NotRead(str(error).splitlines()[0]) from error
    return [tuple(cell or None for cell in row) for row in rows], [byte for (byte,) in rejects]


def literal(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()
