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
# A statement a tick for each: a site's jobs and a target's runs in every window, incidents, templates.
SECTIONS = len(WINDOW_DAYS) * (len(SOME_SITES) + len(TARGETS) + 1) + 1
CONNECTIONS = 512
TICK_SECONDS = 15
SECONDS = 60
CAPACITY = Load(connections=32, seconds=5)
_SAMPLE = re.compile(r"^(parallel_ops_\w+)\{(.*)\} (\S+)$", re.MULTILINE)


class Watched(Struct, frozen=True):
    """A run, and what the service counted meanwhile."""

    result: Result
    states: dict[str, int]
    computations: int


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
    ticks = moving.computations / SECTIONS
    rows = [_row("no tick's end", still), _row(f"a tick's end every {TICK_SECONDS} s", moving)]
    return Table(
        ("run", "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "longest ms", "hit", "stale", "waited"),
        rows,
        [
            f"p99.9 ratio: **{moving.result.p999 / still.result.p999:.2f}**. {len(PATHS)} sets of parameters,"
            f" {SECONDS} s at half the capacity, {CONNECTIONS} connections. {moving.computations} statements"
            f" for {SECTIONS} distinct sections: {ticks:g} ticks.",
        ],
    )


def half(capacity: float) -> Load:
    """Half the capacity, in requests that come from many connections."""
    return Load(CONNECTIONS, SECONDS, round(1000 * CONNECTIONS / (capacity / 2)))


def watched(service: Service, load: Load) -> Watched:
    """Ask, and read before and after what the service has counted."""
    before = _counted(service)
    result = ask(service.url, *PATHS, load=load)
    after = _counted(service)
    change = {name: round(value - before.get(name, 0)) for name, value in after.items()}
    states = {state: change[f'lookups{{state="{state}"}}'] for state in ("hit", "stale", "miss")}
    return Watched(result, states, change["computations"])


def _warm(service: Service) -> None:
    with httpx.Client(base_url=service.url, headers=bearer(token()), timeout=60) as client:
        for path in PATHS:
            client.get(path).raise_for_status()


def _counted(service: Service) -> dict[str, float]:
    text = httpx.get(f"{service.url}/metrics", headers=bearer(token()), timeout=60).raise_for_status().text
    counted = {"computations": 0.0}
    for name, labels, value in _SAMPLE.findall(text):
        if name == "parallel_ops_section_computations_total" and "overlay" not in labels:
            counted["computations"] += float(value)
        elif name == "parallel_ops_snapshot_lookups_total":
            counted[f"lookups{{{labels}}}"] = float(value)
    return counted


def _row(name: str, run: Watched) -> tuple[str, ...]:
    result = run.result
    return (
        name,
        f"{result.rate:,.0f}",
        *(f"{value:.2f}" for value in (result.p50, result.p99, result.p999, result.longest)),
        *(f"{run.states[state]:,}" for state in ("hit", "stale", "miss")),
    )
