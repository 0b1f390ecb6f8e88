"""Failing rows and open incidents, one page at a time, and which errors recur."""

from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from msgspec import Raw, Struct, structs
from msgspec.json import decode

from service.overview.query import PageQuery
from service.overview.sections import window_since
from service.overview.times import Instant

Json = TypeVar("Json", str, Raw)


class FailedJob(Struct, frozen=True):
    """One failed document sync job. `created_at` is null for a date past the year 9999."""

    id: str
    task_type: str
    status: str
    attempt_count: int | None
    max_attempts: int | None
    last_error: str | None
    dedupe_key: str | None
    site_id: str | None
    created_at: Instant | None
    direction: str


class _Run(Struct, Generic[Json], frozen=True):
    id: str
    rule_id: str
    object_id: str
    target_object: str
    from_state: str | None
    to_state: str | None
    trigger_phase: str
    status: str
    attempts: int
    result_code: Json
    last_error: str | None
    created_at: Instant | None


class FailedRun(_Run[Raw], frozen=True):
    """One failed workflow custom action run; `result_code` is whatever JSON value it holds.

    `created_at` is null for a date past the year 9999.
    """


class KeptRun(_Run[str], frozen=True):
    """The same in a cache, which may not be JSON: there, `result_code` is JSON text.

    Raises DecodeError for any other text: what a stranger left in Redis would make an answer that is none.
    """

    def __post_init__(self) -> None:
        decode(self.result_code, type=Raw)


class FailedJobs(Struct, frozen=True):
    """The failed jobs of a window and site: how many in all, and one page of them.

    `headlines` has for each row the line of its error that says what failed; None without an error.
    """

    total: int
    rows: tuple[FailedJob, ...]
    headlines: tuple[str | None, ...] = ()


class FailedRuns(Struct, frozen=True):
    """The failed runs of a window and target object: how many in all, and one page of them, as FailedJobs."""

    total: int
    rows: tuple[KeptRun, ...]
    headlines: tuple[str | None, ...] = ()


# Errors that several of the newest failing rows share, the most frequent first, and how many rows do; None
# is no error's text. What differs from row to row is a #.
EqualErrors: TypeAlias = tuple[tuple[str | None, int], ...]


class OpenIncident(Struct, frozen=True):
    """One breakage incident that is open. `created_at` as in FailedJob."""

    id: str
    description: str
    responsibility: str | None
    severity: str
    created_at: datetime | None


class OpenIncidents(Struct, frozen=True):
    """The open incidents of a window: how many in all, and one page of them."""

    total: int
    rows: tuple[OpenIncident, ...]


class Pagination(Struct, frozen=True):
    """`pages` is 0 when there is nothing to show; a page past the end is empty."""

    page: int
    page_size: int
    pages: int
    total: int


class DocSyncFailures(Struct, frozen=True):
    """A page of failed document sync jobs, newest first, without the caller's operator_id."""

    window_days: int
    window_since: Instant
    site_filter: str | None
    total: int
    pagination: Pagination
    jobs: tuple[FailedJob, ...]


class WorkflowFailures(Struct, frozen=True):
    """A page of failed workflow action runs, newest first, without the caller's operator_id."""

    window_days: int
    window_since: Instant
    target_object_filter: str | None
    total: int
    pagination: Pagination
    runs: tuple[FailedRun, ...]


def doc_sync_failures(failed: FailedJobs, query: PageQuery, instant: datetime) -> DocSyncFailures:
    """The answer that holds a page of failed jobs."""
    return DocSyncFailures(
        window_days=query.window_days,
        window_since=window_since(instant, query.window_days),
        site_filter=query.only,
        total=failed.total,
        pagination=paginate(query, failed.total),
        jobs=failed.rows,
    )


def workflow_failures(failed: FailedRuns, query: PageQuery, instant: datetime) -> WorkflowFailures:
    """The answer that holds a page of failed runs."""
    return WorkflowFailures(
        window_days=query.window_days,
        window_since=window_since(instant, query.window_days),
        target_object_filter=query.only,
        total=failed.total,
        pagination=paginate(query, failed.total),
        runs=tuple(map(_as_answer, failed.rows)),
    )


def _as_answer(run: KeptRun) -> FailedRun:
    fields = structs.asdict(run)
    return FailedRun(**{**fields, "result_code": Raw(run.result_code.encode())})


def paginate(query: PageQuery, total: int) -> Pagination:
    """Where a page stands among all pages."""
    pages = -(-total // query.page_size)
    return Pagination(query.page, query.page_size, pages, total)
