"""What the duty board costs: the processor time of a page, and its weight."""

import re
import time
from collections.abc import Sequence
from itertools import product

import httpx
import psutil

from benchmarks.report import Table
from benchmarks.stage import NO_REFRESH, SITES, service, stage
from service.dashboard.query import View
from service.demo.seed import Counts
from service.overview.query import WINDOW_DAYS
from tests.tokens import bearer, token

REPEATS = 500
TRENDS = [(days, bucket) for days in WINDOW_DAYS for bucket in View(window_days=days).trend_choices]
# Of each window, the last: with it, all figures and rows of the others are in memory, too.
COARSEST = list(dict(TRENDS).items())
HEAVIEST = (30, 1)
FINER = [trend for trend in TRENDS if trend not in (HEAVIEST, *COARSEST)]


def views(trends: Sequence[tuple[int, int]], *more: str) -> list[str]:
    """The board's addresses of all sites with these windows and buckets, once with each of `more`."""
    return [
        f"/?window_days={days}&site_id={site}&bucket_days={bucket}{rest}"
        for site, (days, bucket), rest in product(SITES, trends, more)
    ]


HOT = views(COARSEST, "")
OTHERWISE = ("&lang=zh", "&theme=dark")
CASES = {
    "7 days, as it stands": ["/"] * REPEATS,
    "90 days, as it stands": ["/?window_days=90"] * REPEATS,
    "30 days by the day, newly drawn": views([HEAVIEST], ""),
    "the same, in other words and colours": views([HEAVIEST], *OTHERWISE),
    "all other trends, newly drawn": views(FINER, ""),
    "those, in other words and colours": views(FINER, *OTHERWISE),
}
_FILE = re.compile(r'(?:src|href)="(/static/[^"]+)"')


def run() -> Table:
    """Milliseconds of processor time and bytes on the wire, for a page from a hot snapshot."""
    with stage(Counts.of(20_000)) as servers, service(servers, NO_REFRESH) as hot:
        headers = bearer(token()) | {"accept-encoding": "gzip"}
        with httpx.Client(base_url=hot.url, headers=headers, timeout=60) as client:
            for view in HOT:
                client.get(view).raise_for_status()
            rows = [_row(client, hot.workers[0], name, pages) for name, pages in CASES.items()]
    return Table(
        ("page", "processor time, ms", "page, bytes", "with its files"),
        rows,
        [
            f"{REPEATS} requests of what stands; each other page once: {', '.join(_new())} of them. One after"
            " another, gzip; the whole process's time, the kernel's included."
        ],
    )


def _row(client: httpx.Client, worker: psutil.Process, name: str, pages: list[str]) -> tuple[str, ...]:
    before = _spent(worker)
    for view in pages:
        page = client.get(view)
    spent = 1000 * (_spent(worker) - before) / len(pages)
    files = [_bytes(client.get(file)) for file in sorted(set(_FILE.findall(page.text)))]
    return name, f"{spent:.2f}", f"{_bytes(page):,}", f"{_bytes(page) + sum(files):,}"


def _spent(worker: psutil.Process) -> float:
    """Seconds of processor time so far, to the nanosecond: Linux numbers each process's clock like this."""
    return time.clock_gettime((~worker.pid << 3) | 2)


def _new() -> list[str]:
    return [str(len(pages)) for pages in CASES.values() if len(set(pages)) > 1]


def _bytes(response: httpx.Response) -> int:
    """The body as it was sent."""
    return response.raise_for_status().num_bytes_downloaded
