"""What Sluice says of a file: its guess, its records, and a run with its rejects."""

import json
import subprocess

from rfc4180 import Dialect

POSITIONS = ["record_no", "line", "byte_start", "byte_len"]


class Refused(Exception):
    """The program ended with an error; its text."""


class Sluice:
    """The program with an instance of its own."""

    def __init__(self, program, instance):
        self.program, self.instance = program, instance
        self._run("init", "--quiet", str(instance))

    def preview(self, file):
        """The guess on how a file is written."""
        return json.loads(self._run("--output", "json", "preview", str(file)))

    def records(self, file, options):
        """The names of the columns, and the rows as `rfc4180.problems_of` wants them."""
        texts = "".join(f", {sql(name)}, {sql(value)}" for name, value in options.items())
        query = f"SELECT * FROM source({sql(str(file))}{texts})"
        rows = json.loads(self._run("-i", str(self.instance), "--output", "json", "sql", query), object_pairs_hook=list)
        rows.sort(key=lambda row: dict(row[-1 - len(POSITIONS) :])[row[-1 - len(POSITIONS)][0]])
        return [self._row(row) for row in rows]

    def _row(self, row):
        """Columns of the file, positions, and what is wrong: in this order in every row."""
        columns, (*positions, malformed) = row[: -1 - len(POSITIONS)], row[-1 - len(POSITIONS) :]
        return (*(value for _, value in positions), malformed[1], dict(columns))

    def load(self, name, process):
        """A run of a process with this text, in an instance of its own: its row of `runs`, and its rejects."""
        instance = ["-i", str(self.instance.parent / name)]
        self._run("init", "--quiet", instance[1])
        self._run(*instance, "process", "new", name, "--from", "-", stdin=process)
        self._run(*instance, "process", "complete", name, "--yes")
        done = self._call(*instance, "--output", "json", "run", name, "--yes")
        if not done.stdout.strip():
            raise Refused(done.stderr.strip())
        query = "SELECT record_no, line, byte_start, byte_len, rules, encode(raw, 'hex') AS raw FROM rejects ORDER BY record_no"
        return json.loads(done.stdout), json.loads(self._run(*instance, "--output", "json", "sql", query))

    def _call(self, *arguments, stdin=""):
        return subprocess.run([self.program, *arguments], input=stdin, capture_output=True, encoding="utf-8", errors="replace")

    def _run(self, *arguments, stdin=""):
        done = self._call(*arguments, stdin=stdin)
        if done.returncode != 0:
            raise Refused(f"exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout


def sql(text):
    return "'" + str(text).replace("'", "''") + "'"


def dialect_of(guess):
    """The guess of a preview as the referee wants it."""
    to_bytes = lambda text: text.encode() if text else None
    return Dialect(
        delimiter=guess["delimiter"].encode(),
        quote=to_bytes(guess["quote"]),
        escape=to_bytes(guess["escape"]),
        comment=to_bytes(guess["comment"]),
        newline=b"\r" if guess["line_end"] == "cr" else b"\n",
        skip_rows=guess["skip_rows"],
        has_header=guess["has_header"],
        encoding=guess["encoding"]["encoding"].lower(),
    )


def options_of(dialect):
    """The same as options of `source()`."""
    options = {"format": "csv", "delimiter": dialect.delimiter.decode(), "quote": (dialect.quote or b"").decode()}
    options["header"] = "true" if dialect.has_header else "false"
    options["encoding"] = dialect.encoding
    if dialect.escape:
        options["escape"] = dialect.escape.decode()
    if dialect.comment:
        options["comment"] = dialect.comment.decode()
    if dialect.newline == b"\r":
        options["newline"] = "cr"
    if dialect.skip_rows:
        options["skip_rows"] = str(dialect.skip_rows)
    return options
