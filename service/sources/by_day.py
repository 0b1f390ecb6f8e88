"""Groups of rows as a row a day, bounded however many names and labels a table holds."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, case, func, literal_column, select, tuple_

from service.sources.database import Statement
from service.sources.expressions import Span, count, summed

# A day with more groups than these is crowded: of its names the most frequent are told apart, as long as they
# have no more groups than these together, and of each label the most frequent values.
MOST_GROUPS = 10_000
MOST_NAMES = 1_000
MOST_LABELS = 500
OTHERS = "(others)"
# Labels that figures are made of are told apart however rare they are.
NEVER_OTHERS = ("completed", "failed", "warning")


def by_day(span: Span, cells: Select[Any], labels: int) -> Statement:
    """The day's number in the span, whether its names are all told apart, and an array of each column, a row a day.

    `cells` has the columns cell, name, so many labels, and counts, the number of rows first. So many small
    numbers come quicker in a few arrays than in a row each.
    """
    a_day = literal_column(str(len(span.cuts) + 1))
    grouped = cells.subquery("grouped")
    cell, *others = grouped.c
    found = select((cell // a_day).label("day"), (cell % a_day).label("cell"), *others).cte("found")
    day, cell, name, *columns = found.c
    bounded = _bounded_name(found)
    axes = [
        day,
        cell,
        bounded.label("name"),
        *(_bounded_label(found, column).label(column.name) for column in columns[:labels]),
    ]
    folded = (
        select(
            *axes,
            func.bool_and(bounded.is_not_distinct_from(name)).label("is_complete"),
            *(summed(column).label(column.name) for column in columns[labels:]),
        )
        .group_by(*axes)
        .subquery("folded")
    )
    complete = func.bool_and(folded.c.is_complete).label("is_complete")
    arrays = [func.array_agg(folded.c[column.name]).label(column.name) for column in (cell, name, *columns)]
    return select(folded.c.day, complete, *arrays).group_by(folded.c.day)


def _is_crowded(found: CTE) -> ColumnElement[bool]:
    crowded = select(found.c.day).group_by(found.c.day).having(count() > MOST_GROUPS)
    return found.c.day.in_(crowded)


def _bounded_name(found: CTE) -> ColumnElement[str | None]:
    """The name; null in a crowded day for one that is not among the most frequent."""
    day, by_frequency = found.c.day, (func.sum(found.c.total).desc(), found.c.name)
    ranked = (
        select(
            found.c.day,
            found.c.name,
            func.row_number().over(partition_by=day, order_by=by_frequency).label("rank"),
            func.sum(count()).over(partition_by=day, order_by=by_frequency).label("groups_so_far"),
        )
        .where(_is_crowded(found))
        .group_by(found.c.day, found.c.name)
        .subquery("ranked")
    )
    kept = select(ranked.c.day, ranked.c.name).where(
        ranked.c.rank <= MOST_NAMES, ranked.c.groups_so_far <= MOST_GROUPS
    )
    is_kept = tuple_(found.c.day, found.c.name).in_(kept)
    return case((_is_crowded(found) & is_kept.is_not(True), None), else_=found.c.name)


def _bounded_label(found: CTE, label: ColumnElement[Any]) -> ColumnElement[str | None]:
    """The label; OTHERS in a crowded day for one that is not among the most frequent."""
    rank = func.row_number().over(partition_by=found.c.day, order_by=(func.sum(found.c.total).desc(), label))
    ranked = (
        select(found.c.day, label.label("label"), rank.label("rank"))
        .where(_is_crowded(found), label.is_not(None))
        .group_by(found.c.day, label)
        .subquery(f"ranked_{label.name}")
    )
    kept = select(ranked.c.day, ranked.c.label).where(ranked.c.rank <= MOST_LABELS)
    is_other = tuple_(found.c.day, label).not_in(kept) & label.not_in(NEVER_OTHERS)
    return case((_is_crowded(found) & is_other, OTHERS), else_=label)
