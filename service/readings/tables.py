"""The tables that are read by the day: how each is read, and what is made of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple, replace
from sqlalchemy import Text, bindparam

from service.overview.sections import (
    Breakages,
    BreakagesDay,
    DocSync,
    DocSyncDay,
    WorkflowActions,
    WorkflowActionsDay,
)
from service.readings.grid import Grid, Window, cells_before, day_of, has_hours
from service.readings.reading import Label, Name, Reading, StoredDay
from service.readings.sums import Figures, Sums
from service.readings.worst import Ranked
from service.sources import breakages, doc_sync, tables, workflow_actions
from service.sources.by_day import MOST_GROUPS, MOST_GROUPS_BY_HOUR
from service.sources.database import Bound, Record, Statement
from service.sources.span import AnySpan, Span


class DayTable(Struct, frozen=True):
    """A table: the section that it is for, its statement, and the meaning of the statement's columns.

    The statement gives, for each day, arrays of cells, names, labels and counts; maps are made of the first
    of these, so many as are `told`. `ranks` are the places of the figures that make a name a bad one, the
    gravest first.
    """

    section: str
    table: str
    labels: int
    counts: int
    told: int
    day: type[Struct]
    type: type[Struct]
    ranks: tuple[int, ...]
    statement: Callable[[AnySpan, Any], Statement]
    figures: Callable[[Sequence[Any], Sequence[int]], Figures]
    maps: Callable[[Mapping[Any, Sequence[int]]], dict[str, Any]]

    def rows_of(self, span: Span, name: str | None = None) -> Bound:
        """The statement that reads a span, of one name when it is given: its rows stand under None."""
        statement = _built(self.statement, span.any, is_filtered=name is not None)
        return Bound(statement, span.values | ({} if name is None else {"name": name}))

    def reading(self, stored: StoredDay) -> Reading:
        """A stored day, ready to be summed."""
        return Reading(stored, astuple(self.day()), self.counts, self.told, self.figures)

    def section_of(self, sums: Sums, tick: int, worst: Ranked = ()) -> Any:  # noqa: ANN401
        """The section that the sums and the worst names make."""
        day = self.day
        named = {"worst": tuple((name, day(*figures)) for name, figures in worst)} if self.ranks else {}
        return self.type(
            days=tuple(day(*figures) for figures in sums.days),
            by_clock=tuple(day(*figures) for figures in sums.by_clock),
            by_hour=tuple(day(*figures) for figures in sums.by_hour),
            before=None if sums.before is None else day(*sums.before),
            month=None if sums.month is None else day(*sums.month),
            oldest_reading=sums.oldest if sums.oldest < tick else None,
            **named,
            **self.maps(sums.counts),
        )

    def stored(self, span: Span, tick: int, rows: Sequence[Record]) -> Iterator[StoredDay]:
        """A reading of each day of the span, from the statement's rows; the names last where apart."""
        by_day = {row.day: row for row in rows}
        for number, cuts in enumerate(span.told):
            row = by_day.get(number)
            is_complete, *columns = (True,) if row is None else row[1:]
            labels, of_names = _columns(columns, self.labels)
            yield StoredDay(span.first + number, tick, cuts, is_complete, labels, of_names)


@cache
def _built(statement: Callable[[AnySpan, Any], Statement], span: AnySpan, *, is_filtered: bool) -> Statement:
    return statement(span, bindparam("name", type_=Text()) if is_filtered else None)


def _columns(
    columns: Sequence[Any], labels: int
) -> tuple[tuple[Label, ...], tuple[tuple[Name, list[int]], ...]]:
    """The labels, and the rows by their names."""
    if not columns:
        return (), ()
    cells, names, *others = columns
    numbers: dict[Any, int] = {}
    label_of = [numbers.setdefault(label, len(numbers)) for label in zip(*others[:labels], strict=True)]
    rows: dict[Name, list[int]] = {name: [] for name in names}
    for name, of_name in zip(names, zip(cells, label_of, *others[labels:], strict=True), strict=True):
        rows[name] += of_name
    return tuple(numbers), tuple(rows.items())


JOBS = DayTable(
    section="doc_sync",
    table=tables.jobs.name,
    labels=1,
    counts=len(doc_sync.COUNTS),
    told=doc_sync.TOLD,
    day=DocSyncDay,
    type=DocSync,
    ranks=(3, 2),
    statement=doc_sync.statement,
    figures=doc_sync.figures,
    maps=doc_sync.maps,
)
RUNS = DayTable(
    section="workflow_actions",
    table=tables.runs.name,
    labels=2,
    counts=len(workflow_actions.COUNTS),
    told=len(workflow_actions.COUNTS),
    day=WorkflowActionsDay,
    type=WorkflowActions,
    ranks=(1,),
    statement=workflow_actions.statement,
    figures=workflow_actions.figures,
    maps=workflow_actions.maps,
)
INCIDENTS = DayTable(
    section="breakages",
    table=tables.incidents.name,
    labels=3,
    counts=len(breakages.COUNTS),
    told=len(breakages.COUNTS),
    day=BreakagesDay,
    type=Breakages,
    ranks=(),
    statement=breakages.statement,
    figures=breakages.figures,
    maps=breakages.maps,
)
DAY_TABLES = {table.section: table for table in (JOBS, RUNS, INCIDENTS)}


def span_of(grid: Grid, tick: int, days: range) -> Span:
    """The span of these days, cut for that tick and those of the horizon."""
    most_groups = tuple(MOST_GROUPS_BY_HOUR if has_hours(tick, day) else MOST_GROUPS for day in days)
    return Span(days.start, grid.cuts(tick, days), most_groups, is_open=days.stop > day_of(tick))


def names_apart(span: Span, window: Window) -> Span:
    """The span with the names of a window on a day of their own, which is the day after it."""
    first = day_of(window.since) - span.first
    cells = sum(1 + len(cuts) for cuts in span.cuts[:first]) + cells_before(span.cuts[first], window.since)
    return replace(span, names_from=cells)
