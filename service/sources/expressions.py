"""The SQL expressions that the sections share: one place for each rule of the contract."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL, JSONB, TIMESTAMP, aggregate_order_by
from sqlalchemy.sql.elements import Grouping

from service.overview.bounds import MAX_LABEL_LENGTH
from service.overview.clock import DAY_SECONDS
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
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as rows have it
ONE_DAY = timedelta(days=1)
# Of the names of a day's groups, those that come in several groups several times.
MOST_BYTES = 1_000_000
ONE_SECOND = timedelta(seconds=1)
_FALSY = ("null", "false", "0", '""', "[]", "{}")
_NO_CODE = ("false", "0", '""')


class Window:
    """The rows of the `days` x 24 h before `instant`."""

    def __init__(self, instant: datetime, days: int) -> None:
        self._since = naive(window_since(instant, days))

    def has(self, created_at: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a row is in the window. There is no upper bound: late clocks count too."""
        return created_at >= literal(self._since, TIMESTAMP())


class Span(Struct, frozen=True):
    """The UTC days from `first` on, a number from the epoch on, each cut into cells.

    `cuts` are for each day the seconds at which a cell ends and the next one begins, `most_groups` how many
    groups of rows are told apart in it. The last day of a span that `is_open` has all later rows, too.

    With `names_from` no day tells names, but one more behind them: those of all cells from that one on, as
    many as the days would have told.
    """

    first: int
    cuts: tuple[tuple[int, ...], ...]
    most_groups: tuple[int, ...]
    is_open: bool
    names_from: int | None = None

    @property
    def any(self) -> "AnySpan":
        """The span without its values."""
        return AnySpan(self.is_open, self.names_from is not None)

    @property
    def day_after(self) -> int:
        """The number of the day behind it."""
        return self.first + len(self.cuts)

    @property
    def told(self) -> tuple[tuple[int, ...], ...]:
        """The cuts of all days that are told, that of the names among them."""
        return self.cuts if self.names_from is None else (*self.cuts, ())

    @property
    def values(self) -> dict[str, Any]:
        """Those of the parameters of AnySpan."""
        starts, first_cells = list[int](), []
        for number, cuts in enumerate(self.cuts):
            first_cells.append(len(starts))
            midnight = number * DAY_SECONDS
            starts += midnight, *(midnight + cut for cut in cuts)
        days = {"first_day": self.first, "day_after": self.day_after}
        times = {name: _EPOCH + day * ONE_DAY for name, day in days.items()}
        most_groups, most_bytes = list(self.most_groups), [MOST_BYTES] * len(self.cuts)
        names = {}
        if self.names_from is not None:
            names = {"names_from": self.names_from, "names_cell": len(starts)}
            first_cells.append(len(starts))
            most_groups.append(sum(most_groups))
            most_bytes.append(sum(most_bytes))
        bounds = {"most_groups": most_groups, "most_bytes": most_bytes}
        return {**times, "starts": starts, "first_cells": first_cells, **bounds, **names}


class AnySpan(Struct, frozen=True):
    """A span in SQL, its values left open, so that a statement for all of them is built but once."""

    is_open: bool
    has_names_apart: bool

    def has(self, created_at: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a row is in the span."""
        since = created_at >= _day("first_day")
        return since if self.is_open else since & (created_at < _day("day_after"))

    def cell(self, created_at: ColumnElement[Any]) -> ColumnElement[int]:
        """The number of a row's cell, of all days together."""
        second = select(func.unnest(_numbers("starts")).label("number")).subquery("second").c.number
        start = _day("first_day") + second * literal(ONE_SECOND, INTERVAL())
        starts = select(func.array_agg(aggregate_order_by(start, second))).scalar_subquery()
        return func.width_bucket(created_at, starts) - 1

    def day(self, cell: ColumnElement[int]) -> ColumnElement[int]:
        """The number of a cell's day in the span."""
        return func.width_bucket(cell, _numbers("first_cells"), type_=Integer()) - 1

    def most_groups(self, day: ColumnElement[int]) -> ColumnElement[int]:
        """How many groups of rows are told apart in a day of the span."""
        return _number_of("most_groups", day)

    def most_bytes(self, day: ColumnElement[int]) -> ColumnElement[int]:
        """How many bytes the names of its groups may have."""
        return _number_of("most_bytes", day)

    def tells_name(self, cell: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether a cell's names are told, where they have a day of their own."""
        return cell >= bindparam("names_from", type_=Integer())

    def or_of_names(self, cell: ColumnElement[int | None]) -> ColumnElement[int]:
        """A cell's number, or that of the names where it has none."""
        return func.coalesce(cell, bindparam("names_cell", type_=Integer()))

    def cell_of(self, day: ColumnElement[int], cell: ColumnElement[int]) -> ColumnElement[int]:
        """The number of a cell in its day."""
        return cell - _number_of("first_cells", day)


def _day(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=TIMESTAMP())


def _numbers(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=ARRAY(Integer()))


def _number_of(name: str, day: ColumnElement[int]) -> ColumnElement[int]:
    """The number of a day in an array with one for each day."""
    number: ColumnElement[int] = Grouping(_numbers(name))[day + 1]  # PostgreSQL wants the parentheses
    return number


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
