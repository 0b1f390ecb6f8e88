"""The SQL expressions that the sections share: one place for each rule of the contract."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from service.overview.bounds import MAX_LABEL_LENGTH
from service.overview.sections import window_since

# PostgreSQL's btrim() takes away blanks only; this is what Python's str.strip() takes away, and so
# what a filter's value has lost when it is compared.
WHITE_SPACE = "".join(
    chr(code)
    for code in (
        *range(0x09, 0x0E),
        *range(0x1C, 0x21),
        *(0x85, 0xA0, 0x1680),
        *range(0x2000, 0x200B),
        *(0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
    )
)
_FALSY = ("null", "false", "0", '""', "[]", "{}")
_NO_CODE = ("false", "0", '""')


class Window:
    """The rows of the `days` x 24 h before `instant`."""

    def __init__(self, instant: datetime, days: int) -> None:
        self._since = naive(window_since(instant, days))

    def has(self, created_at: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a row is in the window. There is no upper bound: late clocks count too."""
        return created_at >= literal(self._since, TIMESTAMP())


def lowered(text: ColumnElement[Any]) -> ColumnElement[str]:
    """Text lower-cased; null and "" are "unknown"."""
    return func.lower(func.coalesce(func.nullif(text, ""), "unknown"))


def cut(text: ColumnElement[Any]) -> ColumnElement[str]:
    """A label's first characters, which are all but of a hostile one."""
    return func.left(text, MAX_LABEL_LENGTH)


def trimmed(text: ColumnElement[Any]) -> ColumnElement[str]:
    """Text without white space at both ends."""
    return func.btrim(text, WHITE_SPACE)


def text_or_number(document: ColumnElement[Any], key: str) -> ColumnElement[str | None]:
    """The value at a key of a JSON object: a string trimmed, a number's JSON text, else null."""
    kind, text = func.jsonb_typeof(field(document, key)), field_text(document, key)
    return case((kind == "string", trimmed(text)), (kind == "number", text))


def truthy(document: ColumnElement[Any], key: str) -> ColumnElement[bool]:
    """Whether the value at a key counts as true; a missing one does not.

    jsonb compares numbers by value, so 0.0 is among the false ones.
    """
    value = field(document, key)
    return func.coalesce(value.not_in([_json(text) for text in _FALSY]), False)


def is_no_code(result: ColumnElement[Any], code: ColumnElement[str | None]) -> ColumnElement[bool | None]:
    """Whether a result has no code: an object whose code is missing, null, "", 0 or false.

    `code` is the code's text. The JSON itself is looked at only where the text leaves a doubt, for "0" is
    a code and 0 is none: that spares most rows the work.
    """
    doubtful = or_(code.in_(("", "false")), code.startswith("0"))
    return case(
        (code.is_(None), func.jsonb_typeof(result) == "object"),
        (doubtful, field(result, "result_code").in_([_json(text) for text in _NO_CODE])),
    )


def field(document: ColumnElement[Any], key: str) -> ColumnElement[Any]:
    """The JSON value at a key; null when it is missing or the document is no object."""
    return document.op("->", return_type=JSONB())(literal(key, Text()))


def field_text(document: ColumnElement[Any], key: str) -> ColumnElement[str]:
    """The text of the JSON value at a key."""
    return document.op("->>", return_type=Text())(literal(key, Text()))


def fenced(found: Select[*tuple[Any, ...]]) -> Subquery:
    """Rows behind a fence (OFFSET 0) that the planner does not look through.

    It takes an expression for as varied as the columns in it: it would expect as many day cells as
    there are instants, and so sort all rows, on disk, rather than hash them into a few groups. And it
    computes anew, wherever it is named, what behind a fence is computed once a row.
    """
    return found.offset(literal_column("0")).subquery("found")


def count() -> ColumnElement[int]:
    """How many rows a group has."""
    return func.count()


def summed(number: ColumnElement[Any], where: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    """A sum as a whole number, of the rows that `where` keeps; 0 when there is nothing to add."""
    total = func.sum(number) if where is None else func.sum(number).filter(where)
    return cast(func.coalesce(total, 0), BigInteger)


def _json(text: str) -> ColumnElement[Any]:
    return cast(literal(text, Text()), JSONB)


def naive(instant: datetime) -> datetime:
    """An instant as the PLM's tables have it: UTC, without saying so."""
    return instant.replace(tzinfo=None)
