"""What the duty board costs: the processor time of a page, and its weight."""

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import product

import httpx
import psutil
from msgspec.structs import asdict

from benchmarks.report import Table, spread
from benchmarks.stage import NO_REFRESH, service, stage
from demo.seed import Counts
from service.dashboard.steps import HOUR, Step
from service.dashboard.view import View
from service.overview.query import WINDOW_DAYS
from tests.support.seeded import SITES
from tests.support.tokens import bearer, token

REPEATS = 60
TRENDS = [(days, step) for days in WINDOW_DAYS for step in View(window_days=days).step_choices]
# Of each window, the last: with it, all figures and rows of the others are in memory, too.
COARSEST = list(dict(TRENDS).items())
HEAVIEST = (7, HOUR)
FINER = [trend for trend in TRENDS if trend not in (HEAVIEST, *COARSEST)]
OTHERWISE = ("&lang=zh", "&theme=dark")
STANDING = {"7 days, as it stands": "/", "90 days, as it stands": "/?window_days=90"}
_FILE = re.compile(r'(?:src|href)="(/static/[^"]+)"')


def views(site: str, trends: Sequence[tuple[int, Step]], *more: str) -> list[str]:
    """The board's addresses of a site with these windows and steps, once with each of `more`."""
    return [
        View(window_days=days, site_id=site, **asdict(step)).address() + rest
        for (days, step), rest in product(trends, more)
    ]


def cases(site: str) -> dict[str, list[str]]:
    """What is asked for each site, in this order: pages that are new there have to be asked once only."""
    return {
        **{name: [view] * REPEATS for name, view in STANDING.items()},
        "7 days by the hour, newly drawn": views(site, [HEAVIEST], ""),
        "the same, in other words and colours": views(site, [HEAVIEST], *OTHERWISE),
        "all other trends, newly drawn": views(site, FINER, ""),
        "those, in other words and colours": views(site, FINER, *OTHERWISE),
    }


def run() -> Table:
    """Milliseconds of processor time and bytes on the wire, for a page from a hot snapshot."""
    spent: defaultdict[str, list[float]] = defaultdict(list)
    with stage(Counts.of(20_000)) as servers, service(servers, NO_REFRESH) as hot:
        (worker,) = hot.workers
        headers = bearer(token()) | {"accept-encoding": "gzip"}
        with httpx.Client(base_url=hot.url, headers=headers, timeout=60) as client:
            for view in (*STANDING.values(), *(view for site in SITES for view in views(site, COARSEST, ""))):
                client.get(view).raise_for_status()
            # Site by site, so that a moment in which the machine is slow falls on all cases alike.
            for site in SITES:
                for name, pages in cases(site).items():
                    spent[name] += [_milliseconds(client, worker, page) for page in pages]
            rows = [_row(client, name, spent[name], pages[-1]) for name, pages in cases(SITES[0]).items()]
    asked = ", ".join(str(len(each)) for each in spent.values())
    return Table(
        ("page", "processor time, ms", "page, bytes", "with its files"),
        rows,
        [f"{asked} requests, gzip, one after another; the whole process's time, the kernel's included."],
    )


def _milliseconds(client: httpx.Client, worker: psutil.Process, view: str) -> float:
    before = _spent(worker)
    client.get(view).raise_for_status()
    return 1000 * (_spent(worker) - before)


def _row(client: httpx.Client, name: str, spent: Sequence[float], view: str) -> tuple[str, ...]:
    page = client.get(view)
    files = [_bytes(client.get(file)) for file in sorted(set(_FILE.findall(page.text)))]
    return name, spread(spent), f"{_bytes(page):,}", f"{_bytes(page) + sum(files):,}"


def _spent(worker: psutil.Process) -> float:
    """Seconds of processor time so far, to the nanosecond: Linux numbers each process's clock like this."""
    return time.clock_gettime((~worker.pid << 3) | 2)


def _bytes(response: httpx.Response) -> int:
    """The body as it was sent."""
    return response.raise_for_status().num_bytes_downloaded
