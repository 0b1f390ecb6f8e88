"""Failing rows: how many, and one page of them, both counted and cut by the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Text, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from service.overview.failures import FailedJob, FailedJobs, FailedRun, FailedRuns
from service.overview.query import PageQuery
from service.sources import doc_sync, workflow_actions
from service.sources.database import Database, Record, Records, Statement
from service.sources.expressions import Window, count, field
from service.sources.tables import jobs, runs

# The largest OFFSET that PostgreSQL takes; a page beyond it is as empty as any past the end.
MAX_OFFSET = 2**63 - 1
# Python knows no later year; PostgreSQL does, and `infinity` too.
_LAST = literal(datetime(9999, 12, 31, 23, 59, 59), TIMESTAMP())  # noqa: DTZ001


async def failed_jobs(database: Database, query: PageQuery, instant: datetime) -> FailedJobs:
    """The failed document sync jobs of a window and site. Raises DatabaseError."""
    window = Window(instant, query.window_days)
    conditions = [*doc_sync.population(window, query.only), _failed(jobs.c.status)]
    columns = (
        jobs.c.id,
        jobs.c.task_type,
        jobs.c.status,
        jobs.c.attempt_count,
        jobs.c.max_attempts,
        jobs.c.last_error,
        jobs.c.dedupe_key,
        doc_sync.site.label("site_id"),
        _representable(jobs.c.created_at),
    )
    page = _page(select(*columns).where(*conditions), jobs.c.created_at, jobs.c.id, query)
    total, rows = await database.consistent(_count(jobs.c.id, conditions), page)
    return FailedJobs(_one(total), tuple(map(_failed_job, rows)))


async def failed_runs(database: Database, query: PageQuery, instant: datetime) -> FailedRuns:
    """The failed workflow action runs of a window and target object. Raises DatabaseError."""
    window = Window(instant, query.window_days)
    conditions = [*workflow_actions.population(window, query.only), _failed(runs.c.status)]
    columns = (
        runs.c.id,
        runs.c.rule_id,
        runs.c.object_id,
        runs.c.target_object,
        runs.c.from_state,
        runs.c.to_state,
        runs.c.trigger_phase,
        runs.c.status,
        runs.c.attempts,
        cast(field(runs.c.result, "result_code"), Text).label("result_code"),
        runs.c.last_error,
        _representable(runs.c.created_at),
    )
    page = _page(select(*columns).where(*conditions), runs.c.created_at, runs.c.id, query)
    total, rows = await database.consistent(_count(runs.c.id, conditions), page)
    return FailedRuns(_one(total), tuple(map(_failed_run, rows)))


def _failed(status: Column[Any]) -> ColumnElement[bool]:
    # What lowered() makes "unknown" is not "failed" either way; this an index can serve.
    return func.lower(status) == "failed"


def _failed_job(row: Record) -> FailedJob:
    return FailedJob(**{**row._mapping, "created_at": _utc(row.created_at)})


def _failed_run(row: Record) -> FailedRun[str]:
    return FailedRun(
        **{
            **row._mapping,
            "result_code": row.result_code or "null",
            "created_at": _utc(row.created_at),
        }
    )


def _count(key: Column[Any], conditions: Sequence[ColumnElement[bool]]) -> Statement:
    return select(count()).select_from(key.table).where(*conditions)


def _page(found: Statement, created_at: Column[Any], key: Column[Any], query: PageQuery) -> Statement:
    # Ties go by code points, whatever the database's collation is.
    newest_first = created_at.desc(), key.collate("C").desc()
    offset = min((query.page - 1) * query.page_size, MAX_OFFSET)
    return found.order_by(*newest_first).limit(query.page_size).offset(offset)


def _one(rows: Records) -> int:
    return int(rows[0][0])


def _representable(created_at: Column[Any]) -> ColumnElement[Any]:
    return case((created_at <= _LAST, created_at)).label("created_at")


def _utc(created_at: datetime | None) -> datetime | None:
    return created_at and created_at.replace(tzinfo=UTC)
