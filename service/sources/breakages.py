"""Breakage incidents: counted by cell and by three properties, and those whose description recurs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, case, func, null, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from service.overview.bounds import bounded
from service.sources.by_day import by_day
from service.sources.database import Bound, Statement
from service.sources.expressions import count, cut, fenced, lowered, naive, summed, trimmed
from service.sources.span import AnySpan
from service.sources.tables import incidents

COUNTS = ("total",)
KINDS = ("status", "severity", "responsibility")


def figures(label: Sequence[str | None], counts: Sequence[int]) -> tuple[int, ...]:
    """What incidents of a label add to the figures of a day, in the order of BreakagesDay's fields.

    A label names one of status, severity and responsibility; each incident is counted under one of each.
    """
    (total,) = counts
    return total * (label[0] is not None), total * (label[0] == "open")


def maps(counts: Mapping[tuple[Any, ...], Sequence[int]]) -> dict[str, Any]:
    """What else the section of a window has, but for the repeated, from its counts by label."""
    maps = {
        f"by_{kind}": bounded({label[n]: total for label, (total,) in counts.items() if label[n] is not None})
        for n, kind in enumerate(KINDS)
    }
    return {**maps, "repeated": 0}


def statement(span: AnySpan, _only: None) -> Statement:
    """For each day arrays of cells, no names, one of status, severity and responsibility, and COUNTS."""
    found = fenced(
        select(
            span.cell(incidents.c.created_at).label("cell"),
            incidents.c.status,
            incidents.c.severity,
            incidents.c.responsibility,
        ).where(span.has(incidents.c.created_at))
    )
    groups = select(*found.c, count().label("total")).group_by(*found.c).subquery("groups")
    cells = select(
        groups.c.cell,
        cut(lowered(groups.c.status)).label("state"),
        lowered(groups.c.severity).label("severity"),
        _assigned(groups.c.responsibility).label("responsible"),
        groups.c.total,
    ).subquery("cells")
    kinds = cells.c.state, cells.c.severity, cells.c.responsible
    by_kind = func.grouping_sets(*(tuple_(cells.c.cell, kind) for kind in kinds))
    return by_day(
        span,
        select(cells.c.cell, null().label("name"), *kinds, summed(cells.c.total).label("total")).group_by(
            by_kind
        ),
        labels=3,
    )


def recurrences(edges: Sequence[Sequence[datetime]]) -> Bound:
    """How many incidents share their description, for windows that slide over the next ticks.

    `edges` has for each window, the largest first, where it begins at each tick. A row stands for all
    descriptions that occur in the same `late` cells, where edges will be, and if there are any, equally often
    in each window after its last edge (`after_0` and so on); `repeated_0` and so on sum those that occur
    twice or more. Cells are counted over all edges, from 1 on.
    """
    instants = [naive(instant) for window in edges for instant in window]
    return Bound(_recurrences(len(edges), len(edges[0])), {"instants": instants, "since": instants[0]})


@cache
def _recurrences(windows: int, ticks: int) -> Statement:
    instants = bindparam("instants", type_=ARRAY(TIMESTAMP()))
    found = fenced(
        select(
            func.width_bucket(incidents.c.created_at, instants, type_=Integer()).label("cell"),
            func.lower(trimmed(incidents.c.description)).label("description"),
        ).where(incidents.c.created_at >= bindparam("since", type_=TIMESTAMP()))
    )
    after = [
        count().filter(found.c.cell >= ticks * number).label(f"after_{number}")
        for number in range(1, windows + 1)
    ]
    late = func.array_agg(found.c.cell).filter(found.c.cell % ticks != 0).label("late")
    groups = (
        select(late, *after)
        .where(found.c.description != "")
        .group_by(found.c.description)
        .having(count() > 1)
        .subquery("groups")
    )
    sizes = [groups.c[column.name] for column in after]
    told = [case((groups.c.late.is_not(None), size)).label(size.name) for size in sizes]
    repeated = [summed(size, size > 1).label(size.name.replace("after", "repeated")) for size in sizes]
    return select(groups.c.late, *told, count().label("descriptions"), *repeated).group_by(
        groups.c.late, *told
    )


def _assigned(responsibility: ColumnElement[str | None]) -> ColumnElement[str]:
    return func.coalesce(func.nullif(responsibility, ""), "unassigned")
