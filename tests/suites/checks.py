"""What is compared of one file; each check tells its differences as (kind, words)."""

import gzip
import json

import duck
import rfc4180
from rfc4180 import Dialect
from sluice import Refused, dialect_of, options_of

GUESSED = ["delimiter", "quote", "escape", "comment", "skip_rows", "has_header", "columns", "line_end", "sampled_rows", "malformed_rows"]

# Errors about a file as a whole that a reading under a dialect of someone else's may well end in.
WHOLE_FILE = ["file_empty", "delimiter_suspect", "the header is malformed", "the same character as another", "lines to skip"]


class Examination:
    """One file under all checks."""

    def __init__(self, sluice, file):
        self.sluice, self.file = sluice, file
        self.differences, self.facts = [], {}
        self.raw = decompressed(file)

    def differ(self, kind, what):
        self.differences.append((kind, what))

    def run(self, given, name):
        """All checks; `given`: dialects that others read the file under. `name`: of the process, if a run is wanted."""
        self.under_dialect("plain", Dialect(has_header=False))
        for number, dialect in enumerate(given, 1):
            self.under_dialect(f"given {number}", dialect)
        try:
            preview = self.sluice.preview(self.file)
        except Refused as refused:
            self.differ("refused", str(refused))
            self.facts["duckdb_guess"] = duckdb_guess(self.file)
            return
        guess = preview["dialect"]
        self.facts["guess"] = {key: guess[key] for key in GUESSED} | {"encoding": guess["encoding"]["encoding"]}
        if guess["container"] != "csv":
            self.differ("container", str(guess["container"]))
            return
        self.compare_guesses(guess)
        records = self.under_dialect("records", dialect_of(guess))
        if records is not None:
            self.compare_preview(guess, records)
            process = preview["suggestion"]["process_toml"] or some_process(self.file, dialect_of(guess), guess["columns"])
            if process:
                self.compare_run(process, name, records)

    def under_dialect(self, kind, dialect):
        """The records under a dialect, held against the bytes of the file and against DuckDB."""
        try:
            records = self.sluice.records(self.file, options_of(dialect))
        except Refused as refused:
            self.facts[f"{kind}: refused"] = str(refused)
            if kind == "records" or not any(text in str(refused) for text in WHOLE_FILE):
                self.differ(kind, f"refused: {refused}")
            return None
        if self.raw is None:
            return records
        names = self.names(dialect, records)
        rows = rows_for(records, names)
        for problem in rfc4180.problems_of(self.raw, dialect, len(names), rows):
            self.differ(kind, problem)
        self.facts[kind] = {"records": len(rows), "malformed": sum(1 for row in rows if row[4]), "reasons": [row[4] for row in rows if row[4]][:3]}
        if kind != "plain" and names:
            self.compare_with_duckdb(kind, dialect, rows, len(names))
        return records

    def names(self, dialect, records):
        """The header's names, read independently; without one, `column_1` and so on."""
        if not dialect.has_header:
            return [f"column_{number}" for number in range(1, 1 + (len(records[0][-1]) if records else 0))]
        text = rfc4180.transcoded(self.raw, dialect.encoding)
        found = rfc4180.header_of(text, dialect, rfc4180.Reader(dialect))
        decoder = "utf-8" if dialect.encoding.startswith("utf-16") else dialect.encoding
        return [field.decode(decoder, "replace") for field in found[0] or []] if found else []

    def compare_with_duckdb(self, kind, dialect, rows, width):
        try:
            text = rfc4180.transcoded(self.raw, dialect.encoding)
            before = text[: rfc4180.start_of(text, dialect)].split(dialect.newline)[:-1]
            skip_rows = sum(1 for line in before if not (dialect.comment and line.startswith(dialect.comment)))
            theirs, their_rejects = duck.read(self.file, dialect, width, skip_rows)
        except duck.NotRead as error:
            self.facts[f"{kind}: DuckDB"] = str(error)
            return
        self.facts[kind] |= {"duckdb_records": len(theirs), "duckdb_rejects": len(their_rejects)}
        hidden = {at for at in range(width) for row in rows if row[-1][at] is ...}
        shown = lambda row: tuple(None if at in hidden else cell for at, cell in enumerate(row))
        ours, theirs = [shown(row[-1]) for row in rows if not row[4]], [shown(row) for row in theirs]
        if width == 1:
            # A blank line is a record with one NULL there, and no record here.
            ours, theirs = ([row for row in them if row != (None,)] for them in (ours, theirs))
        if ours == theirs:
            our_rejects = [row[2] for row in rows if row[4]]
            if our_rejects != their_rejects and not dialect.encoding.startswith("utf-16"):
                self.differ(f"{kind} rejects", f"rejects at bytes {our_rejects[:9]}, DuckDB {their_rejects[:9]}")
            return
        first = next((at for at, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
        text = lambda rows: repr(rows[first])[:160] if first < len(rows) else "the end"
        num_malformed = self.facts[kind]["malformed"]
        self.differ(
            f"{kind} duckdb",
            f"{len(ours)} records and {num_malformed} rejects, DuckDB {len(theirs)} and {len(their_rejects)}; "
            f"number {first + 1} is {text(ours)}, DuckDB's {text(theirs)}",
        )

    def compare_guesses(self, guess):
        """Our guess beside DuckDB's, where the file can tell."""
        theirs = self.facts["duckdb_guess"] = duckdb_guess(self.file)
        if isinstance(theirs, str):
            return
        matters = ["has_header", "comment"]
        if len(guess["columns"]) > 1 or len(theirs["columns"]) > 1:
            matters.append("delimiter")
        if self.raw and guess["quote"] and guess["quote"].encode() in self.raw:
            matters.append("quote")
        wrong = [f"{key} {guess[key]!r}, DuckDB {theirs[key]!r}" for key in matters if guess[key] != theirs[key]]
        if self.raw is not None:
            starts = [self.start(guess | {"skip_rows": one["skip_rows"], "comment": one["comment"]}) for one in (guess, theirs)]
            wrong += [f"starts at byte {starts[0]}, DuckDB {starts[1]}"] * (starts[0] != starts[1])
        if len(guess["columns"]) != len(theirs["columns"]):
            wrong.append(f"{len(guess['columns'])} columns, DuckDB {len(theirs['columns'])}")
        elif guess["has_header"] and theirs["has_header"] and guess["columns"] != theirs["columns"]:
            wrong.append(f"names {guess['columns']}, DuckDB {theirs['columns']}")
        if wrong:
            self.differ("guess", "; ".join(wrong))

    def start(self, guess):
        """Where the header starts, or without one the first record."""
        dialect = dialect_of(guess)
        return rfc4180.start_of(rfc4180.transcoded(self.raw, dialect.encoding), dialect)

    def compare_preview(self, guess, records):
        """What the preview foretells must come true; of a file that is too long for it, a part."""
        num_malformed = sum(1 for record in records if record[4])
        if len(records) >= 900 or len(self.raw or b"") > 200_000:
            return
        if (guess["sampled_rows"], guess["malformed_rows"]) != (len(records), num_malformed):
            foretold = f"{guess['malformed_rows']} of {guess['sampled_rows']} records"
            self.differ("preview", f"{foretold} foretold to be malformed, found {num_malformed} of {len(records)}")

    def compare_run(self, process, name, records):
        """A run of a process on the file: its books, and what its rejects hold."""
        try:
            run, rejects = self.sluice.load(name, process)
        except Refused as refused:
            self.differ("run", str(refused)[:300])
            return
        self.facts["run"] = {key: run[key] for key in ("status", "error", "rows_read", "rows_accepted", "rows_rejected")}
        found = (run["rows_read"], sum("malformed_record" in reject["rules"] for reject in rejects))
        meant = (len(records), sum(1 for record in records if record[4]))
        if found != meant:
            self.differ("run", f"{found[0]} records, {found[1]} malformed, where source() has {meant}")
        if len(rejects) != run["rows_rejected"]:
            self.differ("run", f"{run['rows_rejected']} rejected, {len(rejects)} kept")
        for reject in rejects if self.raw is not None else []:
            in_file = self.raw[reject["byte_start"] : reject["byte_start"] + reject["byte_len"]]
            if bytes.fromhex(reject["raw"]) != in_file:
                self.differ("run", f"raw of record {reject['record_no']} is {reject['raw'][:80]}, {in_file[:40].hex()} in the file")


def some_process(file, dialect, columns):
    """A process for a file of which `preview` suggests none: a column is the key, another an attribute.

    None if it has not two columns with names of their own.
    """
    usable = [column for column in columns if column and columns.count(column) == 1]
    if len(usable) < 2:
        return None
    options = options_of(dialect)
    options |= {name: int(options[name]) for name in ("skip_rows",) if name in options}
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items() if name != "header"]
    lines += ["header = false"] * (not dialect.has_header)
    head = f'mode = "register"\nkey = {json.dumps(usable[0])}\n[source]\nurl = {json.dumps(str(file))}\n'
    attribute = f'[[attribute]]\ncolumn = {json.dumps(usable[-1])}\nname = "the_last"\ntype = "string"\n'
    return head + "\n".join(lines) + "\n" + attribute


def duckdb_guess(file):
    try:
        return duck.sniffed(file)
    except duck.NotRead as error:
        return str(error)


def decompressed(file):
    """The bytes of the text; None if it is damaged."""
    raw = file.read_bytes()
    try:
        if raw.startswith(b"\x1f\x8b"):
            return gzip.decompress(raw)
        if raw.startswith(b"\x28\xb5\x2f\xfd"):
            import zstandard

            return zstandard.ZstdDecompressor().stream_reader(raw).read()
    except (OSError, EOFError):
        return None
    return raw


def rows_for(records, names):
    """The records with their values by position; a name that stands twice has no value."""
    twice = {name for name in names if names.count(name) > 1}
    value = lambda record, name: ... if name in twice else record[-1].get(name, "no such column")
    return [(*record[:-1], [value(record, name) for name in names]) for record in records]
