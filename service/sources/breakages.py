"""Breakage incidents: counts by day and by four properties, in one scan."""

from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select, tuple_

from service.overview.query import Query
from service.overview.sections import Breakages, BreakagesDay
from service.sources.database import Database, Statement
from service.sources.expressions import Window, count, fenced, in_order, lowered, summed, trimmed
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
        else:  # what one axis leaves out, the repeated descriptions among it
            repeated = row.repeated
    return Breakages(
        tuple(days), in_order(by_status), in_order(by_severity), in_order(by_responsibility), repeated
    )


def _statement(window: Window) -> Statement:
    # Rows fold into three sets of groups, so that each is hashed three times and no more. Descriptions
    # stay in the database: what is left of their groups ends as one number.
    found = fenced(
        select(
            window.cell(incidents.c.created_at).label("day"),
            incidents.c.status,
            incidents.c.severity,
            incidents.c.responsibility,
            func.lower(trimmed(incidents.c.description)).label("description"),
        ).where(window.has(incidents.c.created_at))
    )
    by_day = tuple_(found.c.day, found.c.status)
    by_kind = tuple_(found.c.severity, found.c.responsibility)
    is_repeated = (found.c.description != "") & (count() > 1)
    groups = (
        select(*found.c, count().label("total"))
        .group_by(func.grouping_sets(by_day, by_kind, found.c.description))
        .having(found.c.description.is_(None) | is_repeated)
        .subquery("groups")
    )
    of_day, of_description = groups.c.day.is_not(None), groups.c.description.is_not(None)
    of_kind = ~(of_day | of_description)
    cells = select(
        groups.c.day,
        case((of_day, lowered(groups.c.status))).label("state"),
        case((of_kind, lowered(groups.c.severity))).label("severity"),
        case((of_kind, _assigned(groups.c.responsibility))).label("responsible"),
        groups.c.total,
        of_description.label("repeated"),
    ).subquery("cells")
    axes = (cells.c.day, cells.c.state, cells.c.severity, cells.c.responsible)
    return select(
        *axes,
        summed(cells.c.total).label("total"),
        summed(cells.c.total, cells.c.state == "open").label("still_open"),
        summed(cells.c.total, cells.c.repeated).label("repeated"),
    ).group_by(func.grouping_sets(*axes))


def _assigned(responsibility: ColumnElement[str | None]) -> ColumnElement[str]:
    return func.coalesce(func.nullif(responsibility, ""), "unassigned")
