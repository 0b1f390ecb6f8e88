"""What failed, in one line: found in an error's text by the database, where the whole text is."""

from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal, or_

from service.overview.bounds import MAX_LABEL_LENGTH
from service.sources.expressions import trimmed

# What lies beyond is not looked at: a hostile text must not make a statement slow.
LOOKED_AT = 64_000
_TRACEBACK = "Traceback (most recent call last):"
# Of a line that begins at the margin; (?n) has ^ and $ be the ends of lines.
_AT_MARGIN = r"(?n)^\S.*$"
# UUIDs, addresses, digests and longer numbers: two errors that differ in these are equal.
_NUMBERS = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|\m[0-9a-f]{16,}\M|[0-9]{4,}"


def headline(error: ColumnElement[Any]) -> ColumnElement[str | None]:
    """The line that says what failed: the one that ends a traceback, of any other text the first."""
    text = trimmed(func.left(error, LOOKED_AT))
    after = func.reverse(func.split_part(func.reverse(text), _TRACEBACK[::-1], 1))
    # Of a traceback that is cut off the last line says most.
    last = func.reverse(func.split_part(func.reverse(text), "\n", 1))
    line = func.coalesce(func.substring(after, _text(_AT_MARGIN)), last)
    return func.nullif(trimmed(func.left(trimmed(line), MAX_LABEL_LENGTH)), "")


def kind(line: ColumnElement[Any]) -> ColumnElement[str | None]:
    """A headline that equal errors share: what differs from row to row as a #."""
    return func.regexp_replace(line, _text(_NUMBERS), "#", "gi")


def says(line: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Whether a headline, or its kind, holds these words, whatever their case."""
    return or_(*(each.icontains(words, autoescape=True) for each in (line, kind(line))))


def _text(value: str) -> ColumnElement[str]:
    return literal(value, Text())
