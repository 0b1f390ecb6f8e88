"""What the duty board costs: the processor time of a page, and its weight."""

import re
from collections.abc import Sequence
from itertools import product

import httpx
import psutil

from benchmarks.report import Table
from benchmarks.stage import NO_REFRESH, service, stage
from service.demo.seed import Counts
from service.overview.query import BUCKET_DAYS, WINDOW_DAYS
from tests.tokens import bearer, token

REPEATS = 500
SITES = ("SH-01", "SH-02", "SZ-01", "BJ-03", "CD-01", "MUC-01", "DET-02", "PUN-01")


def views(windows: Sequence[int], buckets: Sequence[int], *more: str) -> list[str]:
    """The board's addresses of all sites, with these windows and buckets, and once with each of `more`."""
    return [
        f"/?window_days={days}&site_id={site}&bucket_days={bucket}{rest}"
        for site, days, bucket, rest in product(SITES, windows, buckets, more)
        if bucket <= days
    ]


# Of these, every figure and row is in memory before the others, which show the same in other ways, are asked.
HOT = views(WINDOW_DAYS, [1], "")
CASES = {
    "7 days, as it stands": ["/"] * REPEATS,
    "90 days, as it stands": ["/?window_days=90"] * REPEATS,
    "7 days, newly written": views([7], BUCKET_DAYS, "&lang=en", "&lang=zh", "&theme=dark", "&theme=light"),
    "all windows, newly written": views(
        WINDOW_DAYS, BUCKET_DAYS, "&lang=en&theme=dark", "&lang=zh&theme=dark"
    ),
    "90 days by the day, newly written": views(
        [90], [1], "&lang=en", "&lang=zh", "&theme=dark", "&theme=light", "&lang=zh&theme=light"
    ),
}
NEW = [str(len(pages)) for pages in CASES.values() if len(set(pages)) > 1]
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
            f"{REPEATS} requests of what stands, and {', '.join(NEW)} different pages newly written, one"
            " after another, gzip; the whole process's time, the kernel's included."
        ],
    )


def _row(client: httpx.Client, worker: psutil.Process, name: str, pages: list[str]) -> tuple[str, ...]:
    before = worker.cpu_times()
    for view in pages:
        page = client.get(view)
    after = worker.cpu_times()
    spent = 1000 * (after.user + after.system - before.user - before.system) / len(pages)
    files = [_bytes(client.get(file)) for file in sorted(set(_FILE.findall(page.text)))]
    return name, f"{spent:.2f}", f"{_bytes(page):,}", f"{_bytes(page) + sum(files):,}"


def _bytes(response: httpx.Response) -> int:
    """The body as it was sent."""
    return response.raise_for_status().num_bytes_downloaded
