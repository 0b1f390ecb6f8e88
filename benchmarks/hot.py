"""Hot answers against a bare Litestar handler that sends as many bytes.

Both run under the same server settings, the service with authentication, its log and its metrics on.
They are asked in turn, several times over, and each pair gives one ratio.
"""

import httpx

from benchmarks.bare import bare
from benchmarks.load import Load, Result, ask
from benchmarks.report import Table, spread
from benchmarks.stage import NO_REFRESH, Service, service, stage
from demo.seed import Counts
from service.api.table import PREFIX
from tests.support.tokens import bearer, token

PATHS = {
    "summary": f"{PREFIX}/summary",
    "trends": f"{PREFIX}/trends",
    "alerts": f"{PREFIX}/alerts",
    "metrics": f"{PREFIX}/metrics",
    "summary of 90 days, one site": f"{PREFIX}/summary?window_days=90&site_id=SH-01",
}
ROUNDS = 5
LOAD = Load(connections=32, seconds=4)
WARM_UP = Load(connections=32, seconds=2)


def run() -> Table:
    """Requests a second and p99, each over the yardstick's."""
    with stage(Counts.of(20_000)) as servers, service(servers, NO_REFRESH) as hot:
        sizes = {name: size_of(hot, path) for name, path in PATHS.items()}
        with bare(sizes.values()) as yardstick:
            ask(hot.url, *PATHS.values(), load=WARM_UP)
            ask(yardstick, *(f"/{size}" for size in sizes.values()), load=WARM_UP)
            pairs = {
                name: [
                    (ask(yardstick, f"/{sizes[name]}", load=LOAD), ask(hot.url, path, load=LOAD))
                    for _ in range(ROUNDS)
                ]
                for name, path in PATHS.items()
            }
    return Table(
        ("answer", "bytes", "requests/s", "bare handler", "ratio", "p99 ms", "bare handler", "ratio"),
        [_row(name, sizes[name], pairs[name]) for name in PATHS],
        [f"{LOAD.connections} connections, {ROUNDS} rounds of {LOAD.seconds} s each, one worker."],
    )


def size_of(hot: Service, path: str) -> int:
    """How many bytes the answer has; it is in memory from then on."""
    answer = httpx.get(hot.url + path, headers=bearer(token()) | {"accept-encoding": "identity"}, timeout=60)
    return len(answer.raise_for_status().content)


def _row(name: str, size: int, pairs: list[tuple[Result, Result]]) -> tuple[str, ...]:
    return (
        name,
        f"{size:,}",
        spread([ours.rate for _, ours in pairs], ",.0f"),
        spread([bare.rate for bare, _ in pairs], ",.0f"),
        f"**{spread([ours.rate / bare.rate for bare, ours in pairs])}**",
        spread([ours.p99 for _, ours in pairs]),
        spread([bare.p99 for bare, _ in pairs]),
        f"**{spread([ours.p99 / bare.p99 for bare, ours in pairs])}**",
    )
