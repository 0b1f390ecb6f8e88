"""Days as they are read: a span of them, cut into cells, and what it is in SQL."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Integer, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL, TIMESTAMP, aggregate_order_by
from sqlalchemy.sql.elements import Grouping

from service.overview.clock import DAY_SECONDS

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as rows have it
_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)
# Of the names of a day's groups, those that come in several groups several times.
MOST_BYTES = 1_000_000


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
        times = {name: _EPOCH + day * _ONE_DAY for name, day in days.items()}
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
        start = _day("first_day") + second * literal(_ONE_SECOND, INTERVAL())
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
