"""The tables that are read by the day: how each is read, and what is made of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Text, bindparam

from service.overview.sections import BreakagesDay, DocSyncDay, WorkflowActionsDay
from service.readings.grid import Grid, day_of
from service.readings.reading import Reading, StoredDay
from service.readings.sums import Sums
from service.sources import breakages, doc_sync, tables, workflow_actions
from service.sources.database import Bound, Record, Statement
from service.sources.expressions import AnySpan, Span


class DayTable(Struct, frozen=True):
    """A table: the section that it is for, its statement, and the meaning of the statement's columns.

    The statement gives, for each day, arrays of cells, names, labels and counts.
    """

    section: str
    table: str
    labels: int
    counts: int
    nothing: tuple[int, ...]
    statement: Callable[[AnySpan, Any, bool], Statement]
    figures: Callable[[Sequence[Any], Sequence[int]], tuple[int, ...]]
    made_of: Callable[[Sequence[tuple[int, ...]], Mapping[Any, Sequence[int]], int | None], Any]

    def rows_of(self, span: Span, name: str | None = None, *, named: bool = True) -> Bound:
        """The statement that reads a span, kept to one name when it is given.

        Unless it is `named` the rows of all names stand under None.
        """
        statement = _built(self.statement, AnySpan(span.is_open), is_filtered=name is not None, named=named)
        return Bound(statement, span.values | ({} if name is None else {"name": name}))

    def reading(self, stored: StoredDay) -> Reading:
        """A stored day, ready to be summed."""
        return Reading(stored, self.nothing, self.counts, self.figures)

    def section_of(self, sums: Sums, tick: int) -> Any:  # noqa: ANN401
        """The section that the sums make."""
        return self.made_of(sums.days, sums.counts, sums.oldest if sums.oldest < tick else None)

    def stored(self, span: Span, tick: int, rows: Sequence[Record]) -> Iterator[StoredDay]:
        """A reading of each day of the span, from the statement's rows."""
        by_day = {row.day: row for row in rows}
        for number, day in enumerate(range(span.first, span.end)):
            row = by_day.get(number)
            yield _stored(day, tick, span, self.labels, (True,) if row is None else row[1:])


@cache
def _built(
    statement: Callable[[AnySpan, Any, bool], Statement], span: AnySpan, *, is_filtered: bool, named: bool
) -> Statement:
    return statement(span, bindparam("name", type_=Text()) if is_filtered else None, named)


def _stored(day: int, tick: int, span: Span, labels: int, row: Sequence[Any]) -> StoredDay:
    is_complete, *columns = row
    if not columns:
        return StoredDay(day, tick, span.cuts, is_complete, (), ())
    cells, names, *others = columns
    numbers: dict[Any, int] = {}
    label_of = [numbers.setdefault(label, len(numbers)) for label in zip(*others[:labels], strict=True)]
    rows: dict[str | None, list[int]] = {name: [] for name in names}
    for name, of_name in zip(names, zip(cells, label_of, *others[labels:], strict=True), strict=True):
        rows[name] += of_name
    return StoredDay(day, tick, span.cuts, is_complete, tuple(numbers), tuple(rows.items()))


JOBS = DayTable(
    section="doc_sync",
    table=tables.jobs.name,
    labels=1,
    counts=len(doc_sync.COUNTS),
    nothing=(0,) * len(DocSyncDay.__struct_fields__),
    statement=doc_sync.statement,
    figures=doc_sync.figures,
    made_of=doc_sync.section,
)
RUNS = DayTable(
    section="workflow_actions",
    table=tables.runs.name,
    labels=2,
    counts=len(workflow_actions.COUNTS),
    nothing=(0,) * len(WorkflowActionsDay.__struct_fields__),
    statement=workflow_actions.statement,
    figures=workflow_actions.figures,
    made_of=workflow_actions.section,
)
INCIDENTS = DayTable(
    section="breakages",
    table=tables.incidents.name,
    labels=3,
    counts=len(breakages.COUNTS),
    nothing=(0,) * len(BreakagesDay.__struct_fields__),
    statement=breakages.statement,
    figures=breakages.figures,
    made_of=breakages.section,
)
DAY_TABLES = {table.section: table for table in (JOBS, RUNS, INCIDENTS)}


def span_of(grid: Grid, tick: int, days: range) -> Span:
    """The span of these days, cut for that tick and those of the horizon."""
    return Span(days.start, days.stop, grid.cuts(tick), is_open=days.stop > day_of(tick))
