"""Failing rows: how many, one page of them, and which errors recur; all counted and cut by the database."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Subquery, Text, case, cast, func, select

from service.overview.bounds import MAX_LABEL_LENGTH, MAX_NUMBER_DIGITS
from service.overview.failures import EqualErrors, FailedJob, FailedJobs, FailedRuns, KeptRun
from service.overview.query import PageQuery
from service.sources import doc_sync, workflow_actions
from service.sources.database import Database, Records
from service.sources.error_lines import headline, kind, says
from service.sources.expressions import Window, count, cut, field, field_text, text_or_number
from service.sources.listing import (
    Rows,
    beginning,
    counted,
    fields_of,
    newest,
    newest_first,
    only,
    page_of,
    representable,
)
from service.sources.tables import jobs, runs

T = TypeVar("T")

# Errors are looked into in the newest failing rows only; that many say what is going on.
EXAMINED = 500
MOST_EQUAL = 8


async def failed_jobs(database: Database, query: PageQuery, instant: datetime) -> FailedJobs:
    """The failed document sync jobs of a window and site. Raises DatabaseError."""
    found = _jobs(query, instant)
    page = page_of(found, query)
    rows = select(
        page.c.id,
        page.c.task_type,
        cut(page.c.status).label("status"),
        page.c.attempt_count,
        page.c.max_attempts,
        *_error(page),
        page.c.dedupe_key,
        text_or_number(page.c.payload, doc_sync.SITE).label("site_id"),
        representable(page.c.created_at),
        func.coalesce(doc_sync.direction(page.c.payload, page.c.task_type), "unknown").label("direction"),
    ).order_by(*newest_first(page.c))
    total, listed = await database.consistent(counted(found), rows)
    return FailedJobs(only(total), *_told(listed, FailedJob))


async def failed_runs(database: Database, query: PageQuery, instant: datetime) -> FailedRuns:
    """The failed workflow action runs of a window and target object. Raises DatabaseError."""
    found = _runs(query, instant)
    page = page_of(found, query)
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
        representable(page.c.created_at),
    ).order_by(*newest_first(page.c))
    total, listed = await database.consistent(counted(found), rows)
    return FailedRuns(only(total), *_told(listed, KeptRun))


async def equal_job_errors(database: Database, query: PageQuery, instant: datetime) -> EqualErrors:
    """What the newest failed jobs of a window and site have in common. Raises DatabaseError."""
    return await _equal_errors(database, _jobs(query, instant))


async def equal_run_errors(database: Database, query: PageQuery, instant: datetime) -> EqualErrors:
    """What the newest failed runs of a window and target object have in common. Raises DatabaseError."""
    return await _equal_errors(database, _runs(query, instant))


def _jobs(query: PageQuery, instant: datetime) -> Rows:
    window = Window(instant, query.window_days)
    found = select(jobs).where(*doc_sync.population(window, query.only), _failed(jobs.c.status))
    return _saying(found, query.error)


def _runs(query: PageQuery, instant: datetime) -> Rows:
    window = Window(instant, query.window_days)
    found = select(runs).where(*workflow_actions.population(window, query.only), _failed(runs.c.status))
    if query.result_code is not None:
        found = found.where(workflow_actions.code_of(runs.c.result) == query.result_code)
    return _saying(found, query.error)


def _failed(status: Column[Any]) -> ColumnElement[bool]:
    # What lowered() makes "unknown" is not "failed" either way; this an index can serve.
    return func.lower(status) == "failed"


def _saying(found: Rows, error: str | None) -> Rows:
    """The rows whose error says that, of the newest ones."""
    if error is None:
        return found
    recent = newest(found, EXAMINED).subquery("recent")
    return select(recent).where(says(headline(recent.c.last_error), error))


async def _equal_errors(database: Database, found: Rows) -> EqualErrors:
    recent = newest(found, EXAMINED).subquery("recent")
    kinds = select(kind(headline(recent.c.last_error)).label("error")).subquery("kinds")
    many = count().label("many")
    groups = select(kinds.c.error, many).group_by(kinds.c.error).having(count() > 1)
    rows = await database.rows(groups.order_by(many.desc(), kinds.c.error.collate("C")).limit(MOST_EQUAL))
    return tuple((row.error, int(row.many)) for row in rows)


def _error(page: Subquery) -> tuple[ColumnElement[Any], ...]:
    error = page.c.last_error
    return *beginning(error, "last_error"), headline(error).label("headline")


def _told(listed: Records, struct: Callable[..., T]) -> tuple[tuple[T, ...], tuple[str | None, ...]]:
    """The structs that rows make, and their headlines."""
    rows = [fields_of(row, "last_error") for row in listed]
    headlines = tuple(row.pop("headline") for row in rows)
    return tuple(struct(**row) for row in rows), headlines


def _code(result: ColumnElement[Any]) -> ColumnElement[str]:
    """The JSON text of a result code; of a long one, or a number that few can read, a string cut off."""
    code, text = (read(result, workflow_actions.RESULT_CODE) for read in (field, field_text))
    json_type, digits = func.jsonb_typeof(code), func.length(func.translate(text, "-.", ""))
    is_cut = (func.length(text) > MAX_LABEL_LENGTH) | ((json_type == "number") & (digits > MAX_NUMBER_DIGITS))
    return func.coalesce(cast(case((is_cut, func.to_jsonb(cut(text))), else_=code), Text), "null")
