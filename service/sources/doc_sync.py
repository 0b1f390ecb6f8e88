"""Document sync jobs: counts by day and by status, in one scan."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from service.overview.query import Query
from service.overview.sections import DocSync, DocSyncDay
from service.sources.database import Database, Statement
from service.sources.expressions import Window, count, fenced, in_order, lowered, summed, text_or_number
from service.sources.tables import jobs

TASK_TYPE_PREFIX = "document_sync_"


async def read(database: Database, query: Query, instant: datetime) -> DocSync:
    """The document sync section of a window and site. Raises DatabaseError."""
    window = Window(instant, query.window_days)
    days = [DocSyncDay()] * window.days
    by_status: dict[str, int] = {}
    attempts = 0
    for row in await database.rows(_statement(window, query.filters.site_id)):
        if row.day is not None:
            days[window.index(row.day)] = DocSyncDay(row.total, row.completed, row.failed, row.dead_letters)
        else:
            by_status[row.state] = row.total
            attempts += row.attempts
    return DocSync(tuple(days), in_order(by_status), attempts)


def population(window: Window, site_id: str | None) -> list[ColumnElement[bool]]:
    """Which jobs count: document syncs of the window, of one site when it is given."""
    conditions = [
        window.has(jobs.c.created_at),
        jobs.c.task_type.startswith(TASK_TYPE_PREFIX, autoescape=True),
    ]
    if site_id is not None:
        conditions.append(site == site_id)
    return conditions


site = text_or_number(jobs.c.payload, "site_id")


def _statement(window: Window, site_id: str | None) -> Statement:
    # Jobs fold into a few cells per day first; only the cells are then grouped both ways and lower-cased.
    found = fenced(
        select(
            window.cell(jobs.c.created_at).label("day"),
            jobs.c.status,
            jobs.c.attempt_count,
            jobs.c.max_attempts,
        ).where(*population(window, site_id))
    )
    # Nulls count as 0 by themselves: a comparison with one is not true.
    out_of_attempts = (found.c.max_attempts > 0) & (found.c.attempt_count >= found.c.max_attempts)
    cells = (
        select(
            found.c.day,
            lowered(found.c.status).label("state"),
            count().label("total"),
            summed(found.c.attempt_count).label("attempts"),
            count().filter(out_of_attempts).label("exhausted"),
        )
        .group_by(found.c.day, found.c.status)
        .subquery("cells")
    )
    failed = cells.c.state == "failed"
    return select(
        cells.c.day,
        cells.c.state,
        summed(cells.c.total).label("total"),
        summed(cells.c.total, cells.c.state == "completed").label("completed"),
        summed(cells.c.total, failed).label("failed"),
        summed(cells.c.exhausted, failed).label("dead_letters"),
        summed(cells.c.attempts).label("attempts"),
    ).group_by(func.grouping_sets(cells.c.day, cells.c.state))
