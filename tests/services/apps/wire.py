"""Rows as Snowflake writes them in JSON, in the answer and in chunks."""

import base64
import gzip
import json
import secrets

import pyarrow as pa

INLINE_ROWS, CHUNK_ROWS = 1_000, 20_000
KEY = "query-result-master-key"
KEY_HEADER = "x-amz-server-side-encryption-customer-key"


class Chunks:
    """Chunks that wait to be fetched."""

    def __init__(self):
        self.bodies = {}

    def get(self, request):
        """The chunk that is asked for with the right key."""
        return self.bodies.get(request.path_params["key"]) if request.headers.get(KEY_HEADER) == KEY else None

    def as_json(self, data, base, changes):
        """Rewrites an answer of fakesnow's: rows in Arrow become rows in JSON."""
        raw = base64.b64decode(data.pop("rowsetBase64") or "")
        data["queryResultFormat"], data["rowset"] = "json", []
        if not raw:
            return
        table = pa.ipc.open_stream(raw).read_all()
        texts = [texts_of(table.column(number), column) for number, column in enumerate(data["rowtype"])]
        rows = changes.dated(data["rowtype"], [list(row) for row in zip(*texts)])
        data["returned"] = data["total"] = len(rows)
        data["rowset"] = rows[:INLINE_ROWS]
        rest = rows[INLINE_ROWS:]
        if rest:
            data["qrmk"] = KEY
            data["chunks"] = [self.keep(rest[at : at + CHUNK_ROWS], base) for at in range(0, len(rest), CHUNK_ROWS)]

    def keep(self, rows, base):
        body = json.dumps(rows, ensure_ascii=False)[1:-1].encode()
        key, packed = secrets.token_hex(8), gzip.compress(body, 1)
        self.bodies[key] = packed
        return {
            "url": f"{base}/chunks/{key}",
            "rowCount": len(rows),
            "uncompressedSize": len(body),
            "compressedSize": len(packed),
        }


def texts_of(column, described):
    """A column's values as Snowflake's texts."""
    kind = described["type"]
    if kind == "date":
        column = column.cast(pa.int32())
    write = WRITERS.get("timestamp" if kind.startswith("timestamp") and pa.types.is_struct(column.type) else kind, str)
    return [None if value is None else write(value) for value in column.to_pylist()]


def timestamp(value):
    """Seconds and nanoseconds; those with a zone have its offset in minutes, 1440 added."""
    if value["epoch"] is None:
        return None
    nanoseconds = value["epoch"] * 10**9 + value["fraction"]
    sign = "-" if nanoseconds < 0 else ""
    text = f"{sign}{abs(nanoseconds) // 10**9}.{abs(nanoseconds) % 10**9:09d}"
    return f"{text} {value['timezone']}" if "timezone" in value else text


def real(value):
    return "NaN" if value != value else repr(value)


WRITERS = {
    "boolean": lambda value: "1" if value else "0",
    "timestamp": timestamp,
    "time": lambda value: f"{value // 10**9}.{value % 10**9:09d}",
    "binary": lambda value: value.hex().upper(),
    "real": real,
}
