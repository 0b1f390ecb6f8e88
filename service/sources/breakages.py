"""Breakage incidents: counts by day and by four properties, in one scan."""

from datetime import datetime

from sqlalchemy import func, select

from service.overview.query import Query
from service.overview.sections import Breakages, BreakagesDay
from service.sources.database import Database, Statement
from service.sources.expressions import Window, count, in_order, lowered, summed, trimmed
from service.sources.tables import incidents


async def read(database: Database, query: Query, instant: datetime) -> Breakages:
    """The breakage section of a window; no filter applies to it. Raises DatabaseError."""
    window = Window(instant, query.window_days)
    days = [BreakagesDay()] * window.days
    by_status: dict[str, int] = {}
    by_severity: dict[str, int] = {}
    by_responsibility: dict[str, int] = {}
    repeated = 0
    for row in await database.rows(_statement(window)):
        if row.day is not None:
            days[window.index(row.day)] = BreakagesDay(row.total, row.still_open)
        elif row.state is not None:
            by_status[row.state] = row.total
        elif row.severity is not None:
            by_severity[row.severity] = row.total
        elif row.responsible is not None:
            by_responsibility[row.responsible] = row.total
        else:
            repeated = row.total
    return Breakages(
        tuple(days), in_order(by_status), in_order(by_severity), in_order(by_responsibility), repeated
    )


def _statement(window: Window) -> Statement:
    found = (
        select(
            window.cell(incidents.c.created_at).label("day"),
            lowered(incidents.c.status).label("state"),
            lowered(incidents.c.severity).label("severity"),
            func.coalesce(func.nullif(incidents.c.responsibility, ""), "unassigned").label("responsible"),
            func.lower(trimmed(incidents.c.description)).label("description"),
        )
        .where(window.has(incidents.c.created_at))
        .subquery("found")
    )
    axes = (found.c.day, found.c.state, found.c.severity, found.c.responsible)
    groups = (
        select(
            *axes,
            found.c.description,
            count().label("total"),
            count().filter(found.c.state == "open").label("still_open"),
        )
        .group_by(func.grouping_sets(*axes, found.c.description))
        .subquery("groups")
    )
    # Descriptions stay in the database: their groups end as one number, which is the only row
    # without any of the four axes.
    axes = (groups.c.day, groups.c.state, groups.c.severity, groups.c.responsible)
    is_repeated = (groups.c.description != "") & (groups.c.total > 1)
    return (
        select(*axes, summed(groups.c.total).label("total"), summed(groups.c.still_open).label("still_open"))
        .where(groups.c.description.is_(None) | is_repeated)
        .group_by(*axes)
    )
