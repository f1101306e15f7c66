"""The options under which DuckDB's own tests read their files: `test/sql/**/*.test*` of its repository."""

import re

from rfc4180 import Dialect

CALL = re.compile(r"(?:(?:read_csv(?:_auto)?|sniff_csv)\s*\(\s*|\bFROM\s+)['\"][^'\"]*?csv/(?P<name>[^'\"]+)['\"](?P<rest>[^\n]*)", re.IGNORECASE)
OPTION = re.compile(
    r"\b(?P<key>delim|sep|delimiter|quote|escape|comment|skip|header|encoding)\b\s*:?=?\s*"
    r"(?:(?P<raw>E)?'(?P<text>(?:[^']|'')*)'|\"(?P<double>[^\"]*)\"|(?P<word>true|false|\d+)|(?=[,)\s]|$))",
    re.IGNORECASE,
)
SAME_KEYS = {"sep": "delimiter", "delim": "delimiter"}


def options_of_tests(folder):
    """Of each file, by its name within `data/csv`, the different dialects that tests ask for."""
    found = {}
    for test in sorted(folder.rglob("*.test*")):
        for call in CALL.finditer(test.read_text(encoding="utf-8", errors="replace")):
            dialect = dialect_of(call["rest"])
            if dialect is not None and dialect not in found.setdefault(call["name"], []):
                found[call["name"]].append(dialect)
    return found


def dialect_of(text):
    """The dialect in the rest of a call; None if it says none, or one that Sluice has no words for."""
    options = {}
    for option in OPTION.finditer(text):
        key = option["key"].lower()
        value = next((part for part in (option["text"], option["double"], option["word"]) if part is not None), "true")
        options[SAME_KEYS.get(key, key)] = value.replace("\\t", "\t").replace("''", "'")
    if not {"delimiter", "quote", "escape", "comment", "skip"} & options.keys():
        return None
    one_byte = [options.get(key, "") for key in ("quote", "escape", "comment")]
    delimiter = options.get("delimiter", ",")
    if any(len(text) > 1 or not text.isascii() for text in one_byte) or not delimiter.isascii() or not 1 <= len(delimiter) <= 8:
        return None
    if not options.get("skip", "0").isdigit() or options.get("header", "true").lower() not in ("true", "false", "0", "1"):
        return None
    return Dialect(
        delimiter=delimiter.encode(),
        quote=options.get("quote", '"').encode() or None,
        escape=options.get("escape", "").encode() or None,
        comment=options.get("comment", "").encode() or None,
        skip_rows=int(options.get("skip", "0")),
        has_header=options.get("header", "false").lower() in ("true", "1"),
    )
