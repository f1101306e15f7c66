"""An independent reading of single records, and the checks that a file's records as Sluice tells them must pass.

Every byte of a file is accounted for: it lies in a record, or in a line end, a blank line, a comment, the header, or the
lines to skip. What is told well-formed must be so by RFC 4180 with exactly these values, and what is told malformed
must not be; the referee is a regular expression for one field, which shares nothing with the engine, and Python's own
module `csv` has to agree with it.
"""

import csv
import io
import re
import sys
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
MAX_RECORD_BYTES = 16 << 20
csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True)
class Dialect:
    """How a file is written; texts are bytes of UTF-8."""

    delimiter: bytes = b","
    quote: bytes | None = b'"'
    escape: bytes | None = None
    comment: bytes | None = None
    newline: bytes = b"\n"
    skip_rows: int = 0
    has_header: bool = True
    encoding: str = "utf-8"

    def plain(self):
        """The end of a field that is not quoted, as an expression."""
        ends = re.escape(self.newline) + (re.escape(self.quote) if self.quote else b"")
        return b"(?:(?!" + re.escape(self.delimiter) + b")[^" + ends + b"])*"

    def quoted(self):
        quote, escape = (re.escape(byte) if byte else None for byte in (self.quote, self.escape))
        if escape and escape != quote:
            return quote + b"((?:[^" + quote + escape + b"]|" + escape + b".|" + quote + quote + b")*+)" + quote
        return quote + b"((?:[^" + quote + b"]|" + quote + quote + b")*+)" + quote


class Reader:
    """Reads one record at a place; the dialect's expressions are compiled once."""

    def __init__(self, dialect):
        self.dialect = dialect
        self._quoted = re.compile(dialect.quoted(), re.DOTALL) if dialect.quote else None
        self._plain = re.compile(dialect.plain(), re.DOTALL)

    def record_at(self, text, at):
        """The fields of the well-formed record that starts at `at`, and where its content ends; else None."""
        fields, delimiter = [], self.dialect.delimiter
        while True:
            match = self._quoted.match(text, at) if self._quoted else None
            if match:
                fields.append(self._unescaped(match[1]))
                at = match.end()
            else:
                match = self._plain.match(text, at)
                fields.append(match[0])
                at = match.end()
            if text.startswith(delimiter, at):
                at += len(delimiter)
                continue
            return self._ended(text, at, fields, is_plain=match.re is self._plain)

    def fields_of(self, record):
        """The fields of a record that stands alone; None if it is not one well-formed record."""
        found = self.record_at(record, 0)
        return found[0] if found and found[1] == len(record) else None

    def _ended(self, text, at, fields, is_plain):
        newline = self.dialect.newline
        if at == len(text) or text.startswith(newline, at):
            # A return before the line feed belongs to the line end, not to the field.
            is_line_end = is_plain and newline == b"\n" and at < len(text) and fields[-1].endswith(b"\r")
            if is_line_end:
                fields[-1] = fields[-1][:-1]
            return fields, at - is_line_end
        if newline == b"\n" and text.startswith(b"\r\n", at):
            return fields, at
        return None

    def _unescaped(self, inner):
        quote, escape = self.dialect.quote, self.dialect.escape
        if escape and escape != quote:
            return re.sub(re.escape(escape) + b"(.)|" + re.escape(quote + quote), lambda m: m[1] or quote, inner, flags=re.DOTALL)
        return inner.replace(quote + quote, quote)


def transcoded(raw, encoding):
    """UTF-8 of a text in an encoding of two bytes a character; others keep their bytes."""
    return raw.decode(encoding, "replace").encode() if encoding.startswith("utf-16") else raw


def value_of(field, encoding):
    """The value that a field has in Sluice: NULL where it is empty or no text."""
    if field == b"":
        return None
    try:
        return field.decode("utf-8" if encoding.startswith("utf-16") else encoding)
    except UnicodeDecodeError:
        return None


def start_of(text, dialect):
    """The first byte of the header, or where there is none, of the first record."""
    at = len(BOM) if text.startswith(BOM) else 0
    for _ in range(dialect.skip_rows):
        found = text.find(dialect.newline, at)
        at = len(text) if found < 0 else found + 1
    return after_no_records(text, at, dialect)


def header_of(text, dialect, reader):
    """The names in the header, and the first byte behind it; None if it is malformed."""
    at = start_of(text, dialect)
    return (None, at) if not dialect.has_header else reader.record_at(text, at)


def after_no_records(text, at, dialect):
    """The first byte at or after `at` that is in no blank line and no comment."""
    ends = rb"\r?\n" if dialect.newline == b"\n" else b"\r"
    comment = rb"|%b[^%b]*(?:%b|\Z)" % (re.escape(dialect.comment), dialect.newline, dialect.newline) if dialect.comment else b""
    return re.compile(b"(?:" + ends + comment + b")*").match(text, at).end()


def after_line_end(text, at, dialect):
    if dialect.newline == b"\n" and text.startswith(b"\r\n", at):
        return at + 2
    return at + 1 if text.startswith(dialect.newline, at) else at


def problems_of(raw, dialect, width, rows):
    """What is wrong with the records of a file, in words.

    `raw`: the file, decompressed. `rows`: (record_no, line, byte_start, byte_len, malformed, values by position), where
    the values hold None for a column that cannot be asked for.
    """
    reader, encoding = Reader(dialect), dialect.encoding
    text = transcoded(raw, encoding) if encoding.startswith("utf-16") else raw
    found = header_of(text, dialect, reader)
    if found is None:
        return ["the header is malformed, and was read"]
    to_text = offsets(raw, encoding) if encoding.startswith("utf-16") else None
    end, problems = found[1], []
    counted, line_there = 0, 1
    for number, (record_no, line, byte_start, byte_len, malformed, values) in enumerate(rows, 1):
        start, stop = byte_start, byte_start + byte_len
        if to_text:
            start, stop = to_text(start), to_text(stop)
        where = f"record {number} at byte {byte_start}"
        gap_end = end if number == 1 and not dialect.has_header else after_line_end(text, end, dialect)
        if after_no_records(text, gap_end, dialect) != start:
            problems.append(f"{where}: does not follow the one before, which ends at byte {end}")
        if record_no != number:
            problems.append(f"{where}: record_no {record_no}")
        counted, line_there = start, line_there + text.count(dialect.newline, counted, start)
        if line != line_there:
            problems.append(f"{where}: line {line}, and {line_there} in the file")
        record = text[start:stop]
        problems += [f"{where}: {problem}" for problem in judged(text, start, record, malformed, values, width, reader)]
        end = stop
    if after_no_records(text, after_line_end(text, end, dialect), dialect) != len(text):
        problems.append(f"nothing is told of the bytes from {end} on")
    return problems


def judged(text, start, record, malformed, values, width, reader):
    fields, newline = reader.fields_of(record), reader.dialect.newline
    if malformed is None:
        if fields is None or len(fields) != width:
            yield f"read as well-formed: {record[:80]!r}"
            return
        expected = [value_of(field, reader.dialect.encoding) for field in fields]
        if not agrees(fields, record, reader.dialect):
            yield f"the module csv reads otherwise: {record[:80]!r}"
        wrong = [(one, other) for one, other in zip(expected, values) if other is not ... and one != other]
        if wrong:
            yield f"values {wrong[:3]}"
        return
    longer = reader.record_at(text, start)
    if longer and len(longer[0]) == width and longer[1] - start <= MAX_RECORD_BYTES:
        yield f"a well-formed record was told malformed ({malformed}): {record[:80]!r}"
    if width > 1:
        for line in record.split(newline)[1:]:
            alone = reader.fields_of(line.removesuffix(b"\r"))
            if alone and len(alone) == width:
                yield f"took in a well-formed neighbour: {line[:80]!r}"


def agrees(fields, record, dialect):
    """Whether the module `csv` reads the same, where it can: it takes a lone CR for a line end, and has no long delimiters."""
    if len(dialect.delimiter) > 1 or b"\r" in record.replace(b"\r\n", b"") or dialect.escape:
        return True
    quoting = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
    options = {"delimiter": dialect.delimiter.decode(), "quotechar": (dialect.quote or b'"').decode(), "quoting": quoting}
    records = list(csv.reader(io.StringIO(record.decode("latin-1"), newline=""), strict=True, **options))
    return records == [[field.decode("latin-1") for field in fields]]


def offsets(raw, encoding):
    """From a byte of the source to the byte of its text in UTF-8."""
    return lambda at: len(transcoded(raw[:at], encoding))
