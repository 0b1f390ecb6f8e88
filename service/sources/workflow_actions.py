"""Workflow custom action runs: counts by day, status and result code, in one scan."""

from datetime import datetime

from sqlalchemy import ColumnElement, case, func, select

from service.overview.query import Query
from service.overview.sections import WorkflowActions, WorkflowActionsDay
from service.sources.database import Database, Statement
from service.sources.expressions import (
    Window,
    count,
    fenced,
    field_text,
    in_order,
    is_no_code,
    lowered,
    summed,
)
from service.sources.tables import runs


async def read(database: Database, query: Query, instant: datetime) -> WorkflowActions:
    """The workflow action section of a window and target object. Raises DatabaseError."""
    window = Window(instant, query.window_days)
    days = [WorkflowActionsDay()] * window.days
    by_status: dict[str, int] = {}
    by_result_code: dict[str, int] = {}
    for row in await database.rows(_statement(window, query.filters.target_object)):
        if row.day is not None:
            days[window.index(row.day)] = WorkflowActionsDay(row.total, row.failed)
        elif row.state is not None:
            by_status[row.state] = row.total
        elif row.code is not None:
            by_result_code[row.code] = row.total
    return WorkflowActions(tuple(days), in_order(by_status), in_order(by_result_code))


def population(window: Window, target_object: str | None) -> list[ColumnElement[bool]]:
    """Which runs count: those of the window, of one target object when it is given."""
    conditions = [window.has(runs.c.created_at)]
    if target_object is not None:
        conditions.append(runs.c.target_object == target_object)
    return conditions


def _statement(window: Window, target_object: str | None) -> Statement:
    # Runs fold into a few cells per day first, as jobs do.
    found = fenced(
        select(
            window.cell(runs.c.created_at).label("day"),
            runs.c.status,
            runs.c.result,
            field_text(runs.c.result, "result_code").label("code"),
        ).where(*population(window, target_object))
    )
    no_code = is_no_code(found.c.result, found.c.code).label("no_code")
    axes = (found.c.day, found.c.status, found.c.code, no_code)
    folded = select(*axes, count().label("total")).group_by(*axes).subquery("folded")
    cells = select(
        folded.c.day,
        lowered(folded.c.status).label("state"),
        case((folded.c.no_code, "UNKNOWN"), else_=folded.c.code).label("code"),
        folded.c.total,
    ).subquery("cells")
    return select(
        cells.c.day,
        cells.c.state,
        cells.c.code,
        summed(cells.c.total).label("total"),
        summed(cells.c.total, cells.c.state == "failed").label("failed"),
    ).group_by(func.grouping_sets(cells.c.day, cells.c.state, cells.c.code))
