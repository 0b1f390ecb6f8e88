"""Breakage incidents: counts by day and by four properties, for all windows in one scan."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, Subquery, case, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from service.overview.query import WINDOW_DAYS
from service.overview.sections import Breakages, BreakagesDay
from service.sources.database import Records, Statement
from service.sources.expressions import Window, count, fenced, in_order, lowered, summed, trimmed
from service.sources.tables import incidents


def statement(instant: datetime, window_days: int) -> Statement:
    """Counts by day and status, by ring, severity and responsibility, and how many descriptions are repeated.

    A *ring* is what a window has beyond the next smaller one: 1 is that of the largest.
    """
    # Rows fold into three sets of groups, so that each is hashed three times and no more. Descriptions stay in
    # the database: what is left of their groups ends as one number a window.
    created_at = incidents.c.created_at
    edges = [instant.replace(tzinfo=None) - timedelta(days=days) for days in range(window_days, 0, -1)]
    found = fenced(
        select(
            func.width_bucket(created_at, literal(edges, ARRAY(TIMESTAMP()))).label("day"),
            incidents.c.status,
            incidents.c.severity,
            incidents.c.responsibility,
            func.lower(trimmed(incidents.c.description)).label("description"),
        ).where(Window(instant, window_days).has(created_at))
    )
    windows = _windows(window_days)
    ring = func.width_bucket(
        found.c.day, literal([window_days - days + 1 for days in reversed(windows)], ARRAY(Integer()))
    ).label("ring")
    by_kind = tuple_(ring, found.c.severity, found.c.responsibility)
    sizes = [count().filter(found.c.day > window_days - days).label(f"size_{days}") for days in windows]
    groups = (
        select(*found.c, ring, count().label("total"), *sizes)
        .group_by(func.grouping_sets(tuple_(found.c.day, found.c.status), by_kind, found.c.description))
        .having(found.c.description.is_(None) | ((found.c.description != "") & (count() > 1)))
        .subquery("groups")
    )
    return _folded(groups, windows)


def sections(rows: Records, window_days: int) -> dict[int, Breakages]:
    """The section of each window of up to so many days, from the rows of its statement."""
    windows = _windows(window_days)
    return {days: _section(rows, window_days, days, ring) for ring, days in enumerate(reversed(windows), 1)}


def _folded(groups: Subquery, windows: Sequence[int]) -> Statement:
    of_day, of_description = groups.c.day.is_not(None), groups.c.description.is_not(None)
    of_kind = groups.c.ring.is_not(None)
    sizes = [(days, groups.c[f"size_{days}"]) for days in windows]
    cells = select(
        groups.c.day,
        groups.c.ring,
        case((of_day, lowered(groups.c.status))).label("state"),
        case((of_kind, lowered(groups.c.severity))).label("severity"),
        case((of_kind, _assigned(groups.c.responsibility))).label("responsible"),
        groups.c.total,
        *(
            case((of_description & (size > 1), size), else_=0).label(f"repeated_{days}")
            for days, size in sizes
        ),
    ).subquery("cells")
    axes = cells.c.day, cells.c.ring, cells.c.state, cells.c.severity, cells.c.responsible
    day, ring, state, severity, responsible = axes
    return select(
        *axes,
        summed(cells.c.total).label("total"),
        *(summed(cells.c[f"repeated_{days}"]).label(f"repeated_{days}") for days in windows),
    ).group_by(func.grouping_sets(tuple_(day, state), tuple_(ring, severity), tuple_(ring, responsible)))


def _section(rows: Records, most_days: int, window_days: int, ring: int) -> Breakages:
    days = [[0, 0] for _ in range(window_days)]
    by_status: Counter[str] = Counter()
    by_severity: Counter[str] = Counter()
    by_responsibility: Counter[str] = Counter()
    repeated = 0
    before = most_days - window_days
    for row in rows:
        if row.state is not None:
            if row.day > before:
                by_status[row.state] += row.total
                days[row.day - before - 1][0] += row.total
                days[row.day - before - 1][1] += row.total * (row.state == "open")
        elif row.ring is None:  # what one axis leaves out, the repeated descriptions among it
            repeated = getattr(row, f"repeated_{window_days}")
        elif row.ring >= ring:
            by_severity.update({row.severity: row.total} if row.severity is not None else {})
            by_responsibility.update({row.responsible: row.total} if row.responsible is not None else {})
    return Breakages(
        tuple(BreakagesDay(*day) for day in days),
        in_order(by_status),
        in_order(by_severity),
        in_order(by_responsibility),
        repeated,
    )


def _windows(window_days: int) -> list[int]:
    return [days for days in WINDOW_DAYS if days <= window_days]


def _assigned(responsibility: ColumnElement[str | None]) -> ColumnElement[str]:
    return func.coalesce(func.nullif(responsibility, ""), "unassigned")
