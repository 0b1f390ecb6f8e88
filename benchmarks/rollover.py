"""A minute of steady load over several ticks, with 50 sets of parameters, against one without a tick's end.

Many connections pause between their requests, as many callers do: a moment in which nobody is
answered then delays all requests that fall into it, and the tail shows it.
"""

import re
from itertools import product
from urllib.parse import urlencode

import httpx
from msgspec import Struct

from benchmarks.load import Load, Result, ask
from benchmarks.report import Table
from benchmarks.stage import NO_REFRESH, Service, service, stage
from demo.seed import Counts
from service.api.table import PREFIX
from service.overview.query import WINDOW_DAYS
from tests.support.seeded import SITES
from tests.support.tokens import bearer, token

SOME_SITES, TARGETS = SITES[:5], ("Part", "Document")
PATHS = [
    f"{PREFIX}/summary?{urlencode({'window_days': days, 'site_id': site, 'target_object': target})}"
    for days, site, target in product(WINDOW_DAYS, SOME_SITES, TARGETS)
]
CONNECTIONS = 512
TICK_SECONDS = 15
SECONDS = 60
CAPACITY = Load(connections=32, seconds=5)
STATES = ("hit", "stale", "miss")
_LOOKUPS = re.compile(r'^parallel_ops_snapshot_lookups_total\{state="(\w+)"\} (\S+)$', re.MULTILINE)


class Watched(Struct, frozen=True):
    """A run, and how many answers the service gave meanwhile in each state."""

    result: Result
    states: dict[str, int]


def run() -> Table:
    """The latencies of both runs, and what a tick's end cost."""
    with stage(Counts.of(20_000)) as servers:
        with service(servers, NO_REFRESH) as hot:
            _warm(hot)
            load = half(ask(hot.url, *PATHS, load=CAPACITY).rate)
            still = watched(hot, load)
        with service(servers, {"refresh_seconds": str(TICK_SECONDS)}) as rolling:
            _warm(rolling)
            moving = watched(rolling, load)
    rows = [_row("no tick's end", still), _row(f"a tick's end every {TICK_SECONDS} s", moving)]
    return Table(
        ("run", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "longest ms", "hit", "stale", "waited"),
        rows,
        [
            f"p99.9 ratio: **{moving.result.p999 / still.result.p999:.2f}**. {len(PATHS)} sets of parameters,"
            f" {SECONDS} s at half the capacity, {CONNECTIONS} connections.",
        ],
    )


def half(capacity: float) -> Load:
    """Half the capacity, in requests that come from many connections."""
    return Load(CONNECTIONS, SECONDS, round(1000 * CONNECTIONS / (capacity / 2)))


def watched(service: Service, load: Load) -> Watched:
    """Ask, and read before and after what the service has counted."""
    before = _lookups(service)
    result = ask(service.url, *PATHS, load=load)
    after = _lookups(service)
    return Watched(result, {state: after[state] - before[state] for state in STATES})


def _warm(service: Service) -> None:
    with httpx.Client(base_url=service.url, headers=bearer(token()), timeout=60) as client:
        for path in PATHS:
            client.get(path).raise_for_status()


def _lookups(service: Service) -> dict[str, int]:
    text = httpx.get(f"{service.url}/metrics", headers=bearer(token()), timeout=60).raise_for_status().text
    return {state: round(float(value)) for state, value in _LOOKUPS.findall(text)}


def _row(name: str, run: Watched) -> tuple[str, ...]:
    result = run.result
    return (
        name,
        f"{result.rate:,.0f}",
        *(f"{value:.2f}" for value in (result.p50, result.p99, result.p999, result.longest)),
        *(f"{run.states[state]:,}" for state in STATES),
    )
