"""All that one view of the board shows, read side by side from the caches."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from msgspec import Struct

from service.cache.tick_cache import Unavailable
from service.dashboard.panels import Alert, Panel, alerts, panels, unjudged
from service.dashboard.view import View
from service.overview.alerts import status_of
from service.overview.failures import FailedJobs, FailedRuns
from service.overview.sections import Snapshot
from service.overview.slo import OBJECTIVES, Thresholds
from service.overview.summary import Summary, summarize
from service.overview.trends import trends_of
from service.snapshots import Dated, Snapshots

T = TypeVar("T")


class ViewData(Struct, frozen=True):
    """What the caches hold for a view; a list that cannot be had is None."""

    snapshot: Dated[Snapshot]
    jobs: Dated[FailedJobs] | None
    runs: Dated[FailedRuns] | None
    choices: Mapping[str, tuple[str, ...]]

    @property
    def stamp(self) -> tuple[object, ...]:
        """The same for data that looks the same on a page."""
        ticks = (dated and dated.tick for dated in (self.snapshot, self.jobs, self.runs))
        return (*ticks, self.snapshot.degraded, self.choices)


class Board(Struct, frozen=True):
    """The figures of a view, ready to be written down.

    `states` has the one that counts most first; `unjudged` is how many of the rates that have limits
    cannot be held against them, by why: that is not the same as being within them.
    """

    summary: Summary
    states: tuple[str, ...]
    unjudged: Mapping[str, int]
    alerts: tuple[Alert, ...]
    panels: tuple[Panel, ...]


async def read(snapshots: Snapshots, view: View, now: float) -> ViewData:
    """Everything for a view at once. Raises Unavailable when there are no figures."""
    snapshot, jobs, runs, found = await asyncio.gather(
        snapshots.get(view.snapshot, now),
        _or_none(snapshots.failed_jobs(view.jobs, now)),
        _or_none(snapshots.failed_runs(view.runs, now)),
        snapshots.choices(now),
    )
    return ViewData(snapshot, jobs, runs, found)


async def _or_none(reading: Awaitable[T]) -> T | None:
    try:
        return await reading
    except Unavailable:
        return None


def board_of(snapshot: Snapshot, view: View, thresholds: Thresholds, *, is_stale: bool) -> Board:
    """The board of a snapshot."""
    summary = summarize(snapshot, thresholds)
    why_not = unjudged(summary, thresholds)
    return Board(
        summary=summary,
        states=_states(summary, is_judged=why_not.total() < len(OBJECTIVES), is_stale=is_stale),
        unjudged=why_not,
        alerts=alerts(summary, thresholds),
        panels=panels(summary, trends_of(snapshot, view.trend_days), thresholds),
    )


def _states(summary: Summary, *, is_judged: bool, is_stale: bool) -> tuple[str, ...]:
    """Old figures come first, for they put the rest in doubt; ok stands only for itself.

    Where no rate can be judged, nothing is known to be ok.
    """
    status = status_of(summary.slo_hints)
    found = [
        "stale" if is_stale else "",
        status if status != "ok" else "",
        "degraded" if summary.degraded else "",
    ]
    return tuple(filter(None, found)) or ("ok" if is_judged else "none",)
