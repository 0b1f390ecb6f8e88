"""All that one view of the board shows, read side by side from the caches."""

import asyncio
from collections.abc import Iterator, Mapping
from heapq import nsmallest

from msgspec import Struct

from service.dashboard.lists import KINDS, ListData, read_list
from service.dashboard.panels import Alert, Panel, alerts, panels
from service.dashboard.scope import Kept, scopes
from service.dashboard.spending import Spending, spendings
from service.dashboard.view import View
from service.overview.alerts import states, unjudged
from service.overview.bounds import OTHERS
from service.overview.overrides import OVERRIDABLE, Overridable, Overrides, overridden
from service.overview.sections import Snapshot
from service.overview.slo import Thresholds
from service.overview.summary import Summary, summarize
from service.overview.trends import trends_of
from service.snapshots import Dated, Snapshots

MOST_CODES = 50


class ViewData(Struct, frozen=True):
    """What the caches hold for a view."""

    snapshot: Dated[Snapshot]
    lists: tuple[ListData, ...]
    choices: Mapping[str, tuple[str, ...]]

    @property
    def stamp(self) -> tuple[object, ...]:
        """The same for data that looks the same on a page."""
        lists = (each.stamp for each in self.lists)
        return (self.snapshot.tick, *lists, self.snapshot.degraded, self.choices)


class OwnLimit(Struct, frozen=True):
    """A limit that the view brings, and where the configuration has it."""

    limit: Overridable
    value: float
    configured: float


class Board(Struct, frozen=True):
    """The figures of a view, ready to be written down.

    `states` has the one that counts most first; `unjudged` is how many of the rates that have limits
    cannot be held against them, by why: that is not the same as being within them. `scopes` are by
    section, `codes` the result codes that a list can be kept to. `own_limits` stand in place of
    configured ones.
    """

    summary: Summary
    states: tuple[str, ...]
    unjudged: Mapping[str, int]
    alerts: tuple[Alert, ...]
    budgets: tuple[Spending, ...]
    panels: tuple[Panel, ...]
    scopes: Mapping[str, tuple[Kept, ...]]
    codes: tuple[str, ...]
    own_limits: tuple[OwnLimit, ...]


async def read(snapshots: Snapshots, view: View, now: float) -> ViewData:
    """Everything for a view at once. Raises Unavailable when there are no figures."""
    lists = asyncio.gather(*(read_list(snapshots, kind, view, now) for kind in KINDS))
    snapshot, listed, found = await asyncio.gather(
        snapshots.get(view.snapshot, now), lists, snapshots.choices(now)
    )
    return ViewData(snapshot, tuple(listed), found)


def board_of(snapshot: Snapshot, view: View, configured: Thresholds, *, is_stale: bool) -> Board:
    """The board of a snapshot."""
    thresholds = overridden(configured, view.overrides)
    summary = summarize(snapshot, thresholds)
    why_not = unjudged(summary, thresholds)
    return Board(
        summary=summary,
        states=states(summary, why_not, is_stale=is_stale),
        unjudged=why_not,
        alerts=alerts(summary, thresholds, snapshot.zone),
        budgets=spendings(snapshot, thresholds),
        panels=panels(summary, trends_of(snapshot, view.trends), thresholds),
        scopes=scopes(view.snapshot.filters),
        codes=_most_frequent(summary.workflow_actions.by_result_code),
        own_limits=tuple(_own_limits(view.overrides, configured)),
    )


def _own_limits(overrides: Overrides, configured: Thresholds) -> Iterator[OwnLimit]:
    for limit in OVERRIDABLE:
        value = limit.given(overrides)
        if value is not None:
            yield OwnLimit(limit, value, limit.configured(configured))


def _most_frequent(counts: Mapping[str, int]) -> tuple[str, ...]:
    found = nsmallest(MOST_CODES, ((-count, code) for code, count in counts.items() if code != OTHERS))
    return tuple(sorted(code for _, code in found))
