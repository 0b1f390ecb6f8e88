"""Groups of rows as a row a day, bounded however many names and labels a table holds."""

from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, case, func, select, tuple_

from service.overview.bounds import MOST_KEYS, OTHERS
from service.sources.database import Statement
from service.sources.expressions import count, summed
from service.sources.span import AnySpan

# A day with more groups than these is crowded (one that is cut at every hour, with thrice as many), or with
# longer names than its bytes: of its names the most frequent are told apart, as long as they have no more
# groups than these together, and of each label the most frequent values.
MOST_GROUPS = 10_000
MOST_GROUPS_BY_HOUR = 30_000
MOST_NAMES = 1_000
MOST_LABELS = MOST_KEYS
# Labels that figures are made of are told apart however rare they are.
NEVER_OTHERS = ("completed", "failed", "warning", "open")


def by_day(span: AnySpan, cells: Select[Any], labels: int) -> Statement:
    """The day's number in the span, whether its names are all told apart, and an array of each column, a row
    a day.

    `cells` has the columns cell, name, so many labels, and counts, the number of rows first. So many small
    numbers come quicker in a few arrays than in a row each.
    """
    if span.has_names_apart:
        cells = _names_apart(span, cells, labels)
    grouped = cells.add_columns(span.day(cells.selected_columns.cell).label("day")).subquery("grouped")
    cell, *others, day = grouped.c
    found = select(day, span.cell_of(day, cell).label("cell"), *others).cte("found")
    day, cell, name, *columns = found.c
    are_many = count() > span.most_groups(day)
    are_long = func.sum(func.octet_length(name)) > span.most_bytes(day)
    crowded = select(day).group_by(day).having(are_many | are_long).cte("crowded")
    of_labels, of_counts = columns[:labels], columns[labels:]
    told = select(
        day,
        cell,
        _bounded_name(span, found, crowded).label("name"),
        name.label("full_name"),
        *(_bounded_label(found, crowded, label).label(label.name) for label in of_labels),
        *of_counts,
    ).subquery("told")
    axes = [told.c[column.name] for column in (day, cell, name, *of_labels)]
    folded = (
        select(
            *axes,
            func.bool_and(told.c.name.is_not_distinct_from(told.c.full_name)).label("is_complete"),
            *(summed(told.c[column.name]).label(column.name) for column in of_counts),
        )
        .group_by(*axes)
        .subquery("folded")
    )
    arrays = [func.array_agg(folded.c[column.name]).label(column.name) for column in (cell, name, *columns)]
    return select(folded.c.day, func.bool_and(folded.c.is_complete), *arrays).group_by(folded.c.day)


def _names_apart(span: AnySpan, cells: Select[Any], labels: int) -> Select[Any]:
    """The cells without names, and behind them the names, of all cells that tell them."""
    told = cells.add_columns(span.tells_name(cells.selected_columns.cell).label("is_told"))
    cell, name, *columns, is_told = told.subquery("apart").c
    of_labels, of_counts = columns[:labels], columns[labels:]
    sets = func.grouping_sets(tuple_(cell, *of_labels), tuple_(is_told, name, *of_labels))
    sums = (summed(column).label(column.name) for column in of_counts)
    found = select(span.or_of_names(cell).label("cell"), name, *of_labels, *sums).group_by(sets)
    return found.having(func.coalesce(is_told, True))


def _bounded_name(span: AnySpan, found: CTE, crowded: CTE) -> ColumnElement[str | None]:
    """The name; null in a crowded day for one that is not among the most frequent."""
    day, by_frequency = found.c.day, (func.sum(found.c.total).desc(), found.c.name)
    ranked = (
        select(
            day,
            found.c.name,
            func.row_number().over(partition_by=day, order_by=by_frequency).label("rank"),
            func.sum(count()).over(partition_by=day, order_by=by_frequency).label("groups_so_far"),
        )
        .where(day.in_(select(crowded.c.day)))
        .group_by(day, found.c.name)
        .subquery("ranked")
    )
    kept = select(ranked.c.day, ranked.c.name).where(
        ranked.c.rank <= MOST_NAMES, ranked.c.groups_so_far <= span.most_groups(ranked.c.day)
    )
    is_kept = tuple_(day, found.c.name).in_(kept)
    return case((day.not_in(select(crowded.c.day)) | is_kept, found.c.name))


def _bounded_label(found: CTE, crowded: CTE, label: ColumnElement[Any]) -> ColumnElement[str | None]:
    """The label; OTHERS in a crowded day for one that is not among the most frequent."""
    day = found.c.day
    # Ties go by code points, whatever the database's collation is.
    most_first = func.sum(found.c.total).desc(), label.collate("C")
    by_frequency = func.row_number().over(partition_by=day, order_by=most_first)
    ranked = (
        select(day, label.label("label"), by_frequency.label("rank"))
        .where(day.in_(select(crowded.c.day)), label.is_not(None))
        .group_by(day, label)
        .subquery(f"ranked_{label.name}")
    )
    kept = select(ranked.c.day, ranked.c.label).where(ranked.c.rank <= MOST_LABELS)
    is_other = label.not_in(NEVER_OTHERS) & tuple_(day, label).not_in(kept)
    return case((day.in_(select(crowded.c.day)) & is_other, OTHERS), else_=label)
