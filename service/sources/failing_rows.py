"""Failing rows: how many, and one page of them, both counted and cut by the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Subquery, Table, Text, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from service.overview.bounds import MAX_ERROR_LENGTH, MAX_LABEL_LENGTH, MAX_NUMBER_DIGITS, shortened
from service.overview.failures import FailedJob, FailedJobs, FailedRuns, KeptRun
from service.overview.query import PageQuery
from service.sources import doc_sync, workflow_actions
from service.sources.database import Database, Record, Records, Statement
from service.sources.expressions import Window, count, cut, field, field_text, text_or_number
from service.sources.tables import jobs, runs

# The largest OFFSET that PostgreSQL takes; a page beyond it is as empty as any past the end.
MAX_OFFSET = 2**63 - 1
# Python knows no later year; PostgreSQL does, and `infinity` too.
_LAST = literal(datetime(9999, 12, 31, 23, 59, 59), TIMESTAMP())  # noqa: DTZ001


async def failed_jobs(database: Database, query: PageQuery, instant: datetime) -> FailedJobs:
    """The failed document sync jobs of a window and site. Raises DatabaseError."""
    window = Window(instant, query.window_days)
    conditions = [*doc_sync.population(window, query.only), _failed(jobs.c.status)]
    page = _page(jobs, conditions, query)
    rows = select(
        page.c.id,
        page.c.task_type,
        cut(page.c.status).label("status"),
        page.c.attempt_count,
        page.c.max_attempts,
        *_error(page),
        page.c.dedupe_key,
        text_or_number(page.c.payload, doc_sync.SITE).label("site_id"),
        _representable(page.c.created_at),
    ).order_by(*_newest_first(page))
    total, found = await database.consistent(_count(jobs.c.id, conditions), rows)
    return FailedJobs(_one(total), tuple(FailedJob(**_fields(row)) for row in found))


async def failed_runs(database: Database, query: PageQuery, instant: datetime) -> FailedRuns:
    """The failed workflow action runs of a window and target object. Raises DatabaseError."""
    window = Window(instant, query.window_days)
    conditions = [*workflow_actions.population(window, query.only), _failed(runs.c.status)]
    page = _page(runs, conditions, query)
    rows = select(
        page.c.id,
        page.c.rule_id,
        page.c.object_id,
        page.c.target_object,
        page.c.from_state,
        page.c.to_state,
        page.c.trigger_phase,
        cut(page.c.status).label("status"),
        page.c.attempts,
        _code(page.c.result).label("result_code"),
        *_error(page),
        _representable(page.c.created_at),
    ).order_by(*_newest_first(page))
    total, found = await database.consistent(_count(runs.c.id, conditions), rows)
    return FailedRuns(_one(total), tuple(KeptRun(**_fields(row)) for row in found))


def _failed(status: Column[Any]) -> ColumnElement[bool]:
    # What lowered() makes "unknown" is not "failed" either way; this an index can serve.
    return func.lower(status) == "failed"


def _error(page: Subquery) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """What is told of an error, and how long it is; the rest of it stays in the database."""
    error = page.c.last_error
    return func.left(error, MAX_ERROR_LENGTH).label("last_error"), func.char_length(error).label("length")


def _code(result: ColumnElement[Any]) -> ColumnElement[str]:
    """The JSON text of a result code; of a long one, or a number that few can read, a string cut off."""
    code, text = field(result, "result_code"), field_text(result, "result_code")
    kind, digits = func.jsonb_typeof(code), func.length(func.translate(text, "-.", ""))
    is_cut = (func.length(text) > MAX_LABEL_LENGTH) | ((kind == "number") & (digits > MAX_NUMBER_DIGITS))
    return func.coalesce(cast(case((is_cut, func.to_jsonb(cut(text))), else_=code), Text), "null")


def _fields(row: Record) -> dict[str, Any]:
    """The fields that a row's columns make."""
    found = {**row._mapping, "created_at": _utc(row.created_at)}
    length = found.pop("length")
    return {**found, "last_error": shortened(row.last_error, length)}


def _count(key: Column[Any], conditions: Sequence[ColumnElement[bool]]) -> Statement:
    return select(count()).select_from(key.table).where(*conditions)


def _page(table: Table, conditions: Sequence[ColumnElement[bool]], query: PageQuery) -> Subquery:
    """The rows of a page, so that what is made of a row is made of those alone."""
    offset = min((query.page - 1) * query.page_size, MAX_OFFSET)
    found = select(table).where(*conditions).order_by(*_newest_first(table))
    return found.limit(query.page_size).offset(offset).subquery("page")


def _newest_first(rows: Table | Subquery) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    # Ties go by code points, whatever the database's collation is.
    return rows.c.created_at.desc(), rows.c.id.collate("C").desc()


def _one(rows: Records) -> int:
    return int(rows[0][0])


def _representable(created_at: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((created_at <= _LAST, created_at)).label("created_at")


def _utc(created_at: datetime | None) -> datetime | None:
    return created_at and created_at.replace(tzinfo=UTC)
