"""What the duty board costs: the processor time of a page, and its weight."""

import re

import httpx
import psutil

from benchmarks.report import Table
from benchmarks.stage import NO_REFRESH, service, stage
from service.demo.seed import Counts
from tests.tokens import bearer, token

REQUESTS = 500
VIEWS = {"7 days": "/", "90 days": "/?window_days=90"}
_FILE = re.compile(r'(?:src|href)="(/static/[^"]+)"')


def run() -> Table:
    """Milliseconds of processor time and bytes on the wire, for a page from a hot snapshot."""
    with stage(Counts.of(20_000)) as servers, service(servers, NO_REFRESH) as hot:
        headers = bearer(token()) | {"accept-encoding": "gzip"}
        with httpx.Client(base_url=hot.url, headers=headers, timeout=60) as client:
            rows = [_row(client, hot.workers[0], name, view) for name, view in VIEWS.items()]
    return Table(
        ("page", "processor time, ms", "page, bytes", "with its files"),
        rows,
        [f"{REQUESTS} requests one after another, gzip; the whole process's time, the kernel's included."],
    )


def _row(client: httpx.Client, worker: psutil.Process, name: str, view: str) -> tuple[str, ...]:
    client.get(view).raise_for_status()
    before = worker.cpu_times()
    for _ in range(REQUESTS):
        page = client.get(view)
    after = worker.cpu_times()
    spent = 1000 * (after.user + after.system - before.user - before.system) / REQUESTS
    files = [_bytes(client.get(file)) for file in sorted(set(_FILE.findall(page.text)))]
    return name, f"{spent:.2f}", f"{_bytes(page):,}", f"{_bytes(page) + sum(files):,}"


def _bytes(response: httpx.Response) -> int:
    """The body as it was sent."""
    return response.raise_for_status().num_bytes_downloaded
