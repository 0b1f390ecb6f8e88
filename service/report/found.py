"""What a report is written from: a snapshot and three lists, of one tick where it can be."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from msgspec import Struct

from service.cache.parts import State
from service.cache.unavailable import Unavailable
from service.overview.failures import FailedJobs, FailedRuns, OpenIncidents
from service.overview.query import ROWS_PER_PAGE, PageQuery, Query
from service.overview.sections import Snapshot
from service.snapshots import FAILED_JOBS, FAILED_RUNS, OPEN_INCIDENTS, Dated, Section, Snapshots

# So long a report waits for lists that are being read anew, and so often it looks.
MOMENT_SECONDS = 1.0
LOOK_SECONDS = 0.05


class Found(Struct, frozen=True):
    """A snapshot and its lists; None is one that cannot be had."""

    snapshot: Snapshot
    jobs: Dated[FailedJobs] | None
    runs: Dated[FailedRuns] | None
    incidents: Dated[OpenIncidents] | None


async def read(snapshots: Snapshots, query: Query, now: float) -> Dated[Found]:
    """What a report of that query is written from. Raises Unavailable when there are no figures.

    Lists that are missing or older than the figures are named in `degraded`: it does not stand for long.
    """
    figures = await snapshots.get(query, now)
    asked = (
        (FAILED_JOBS, query.filters.site_id),
        (FAILED_RUNS, query.filters.target_object),
        (OPEN_INCIDENTS, None),
    )
    pages = [
        (section, PageQuery(query.window_days, only, page=1, page_size=ROWS_PER_PAGE))
        for section, only in asked
    ]
    lists = await asyncio.gather(*(_as_of(snapshots, *page, figures.tick) for page in pages))
    lacking = [
        section.name
        for (section, _), listed in zip(pages, lists, strict=True)
        if listed is None or listed.tick < figures.tick
    ]
    known = [figures, *(listed for listed in lists if listed is not None)]
    return Dated(
        *(Found(figures.value, *lists), figures.tick, _state(known), (*figures.degraded, *lacking)),
        stands=partial(_stand, [each.stands for each in known]),
    )


async def _as_of(snapshots: Snapshots, section: Section, query: PageQuery, tick: int) -> Dated[Any] | None:
    """A list as of that tick, or as near to it as can be had in a moment."""
    until = monotonic() + MOMENT_SECONDS
    while True:
        found = await if_any(snapshots, section, query, float(tick))
        if found is None or found.tick >= tick or monotonic() > until:
            return found
        await asyncio.sleep(LOOK_SECONDS)  # it is read anew behind what was found


async def if_any(snapshots: Snapshots, section: Section, query: PageQuery, now: float) -> Dated[Any] | None:
    """What one of LISTS has for a query, None when that cannot be had."""
    try:
        return await snapshots.listed(section, query, now)
    except Unavailable:
        return None


def _stand(parts: list[Callable[[float], bool]], now: float) -> bool:
    return all(stands(now) for stands in parts)


def _state(parts: list[Dated[Any]]) -> State:
    """Old when the figures are; else whether anybody has waited."""
    if parts[0].state == "stale":
        return "stale"
    return "miss" if any(part.state == "miss" for part in parts) else "hit"
