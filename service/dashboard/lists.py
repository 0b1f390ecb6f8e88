"""The lists of the board: which rows of a view they have, and what is to be said of those."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from service.dashboard.layouts import ANCHORS
from service.dashboard.scope import Kept, UnknownName, rows_of, scopes
from service.dashboard.view import LIST_FILTERS, View
from service.overview.failures import EqualErrors, Pagination, paginate
from service.overview.query import PageQuery
from service.overview.summary import Summary
from service.report.found import if_any
from service.snapshots import (
    FAILED_JOBS,
    FAILED_RUNS,
    JOB_ERRORS,
    OPEN_INCIDENTS,
    RUN_ERRORS,
    Dated,
    Section,
    Snapshots,
)


class Kind(Struct, frozen=True):
    """A list: the section whose rows it has, where they and their errors come from, and its own filters.

    The fields of a View that concern it begin with its name.
    """

    name: str
    section: str
    rows: Section
    errors: Section | None = None
    filters: tuple[str, ...] = ()

    def query(self, view: View) -> PageQuery:
        """The page of it that a view shows."""
        query: PageQuery = getattr(view, self.name)
        return query


KINDS = (
    Kind("jobs", "doc_sync", FAILED_JOBS, JOB_ERRORS, ("error",)),
    Kind("runs", "workflow_actions", FAILED_RUNS, RUN_ERRORS, LIST_FILTERS),
    Kind("incidents", "breakages", OPEN_INCIDENTS),
)


class ListData(Struct, frozen=True):
    """What the caches hold of a list; None is what cannot be had."""

    rows: Dated[Any] | None
    errors: Dated[EqualErrors] | None

    @property
    def stamp(self) -> tuple[int | None, ...]:
        """The same for what looks the same on a page."""
        return tuple(None if each is None else each.tick for each in (self.rows, self.errors))


class Listed(Struct, frozen=True, kw_only=True):
    """A list, ready to be written down. `found` and `at` are None when it cannot be had.

    `total` is how many rows its section counts, `is_kept` whether filters of its own are given.
    """

    name: str
    anchor: str
    found: Any
    at: Pagination | None
    errors: EqualErrors
    scope: tuple[Kept, ...]
    is_kept: bool
    total: int
    unknown: UnknownName | None


async def read_list(snapshots: Snapshots, kind: Kind, view: View, now: float) -> ListData:
    """What there is of one of KINDS."""
    query = kind.query(view)
    rows = await if_any(snapshots, kind.rows, query, now)
    # One row has nothing in common with others.
    if kind.errors is None or rows is None or rows.value.total < 2:
        return ListData(rows, None)
    return ListData(rows, await if_any(snapshots, kind.errors, query, now))


def lists_of(
    data: tuple[ListData, ...], view: View, summary: Summary, unknown: Mapping[str, UnknownName]
) -> dict[str, Listed]:
    """The lists of a view by their names."""
    return {
        kind.name: _listed(kind, each, view, summary, unknown.get(kind.section))
        for kind, each in zip(KINDS, data, strict=True)
    }


def _listed(kind: Kind, data: ListData, view: View, summary: Summary, unknown: UnknownName | None) -> Listed:
    found = None if data.rows is None else data.rows.value
    own = tuple(Kept(name, value) for name in kind.filters if (value := getattr(view, name)))
    return Listed(
        name=kind.name,
        anchor=ANCHORS[kind.section],
        found=found,
        at=None if found is None else paginate(kind.query(view), found.total),
        errors=data.errors.value if data.errors else (),
        scope=scopes(view.snapshot.filters)[kind.section] + own,
        is_kept=bool(own),
        total=rows_of(summary, kind.section),
        unknown=unknown,
    )
