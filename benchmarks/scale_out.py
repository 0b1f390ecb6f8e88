"""Two workers against one under the same load, and what the bare handler gains by a second worker."""

from benchmarks.bare import bare
from benchmarks.hot import LOAD, WARM_UP, size_of
from benchmarks.load import ask
from benchmarks.report import Table, spread
from benchmarks.stage import NO_REFRESH, service, stage
from demo.seed import Counts
from service.api.table import PREFIX

PATH = f"{PREFIX}/summary"
ROUNDS = 5


def run() -> Table:
    """Requests a second with one and two workers."""
    with (
        stage(Counts.of(20_000)) as servers,
        service(servers, NO_REFRESH) as one,
        service(servers, NO_REFRESH, workers=2) as two,
    ):
        size = size_of(one, PATH)
        with bare([size], 1) as bare_one, bare([size], 2) as bare_two:
            rounds = _rounds(
                {
                    "service": ((one.url, PATH), (two.url, PATH)),
                    "bare handler": ((bare_one, f"/{size}"), (bare_two, f"/{size}")),
                }
            )
    rows = [
        (
            name,
            spread([first for first, _ in pairs], ",.0f"),
            spread([second for _, second in pairs], ",.0f"),
            f"**{spread([second / first for first, second in pairs])}**",
        )
        for name, pairs in rounds.items()
    ]
    return Table(
        ("", "one worker, requests/s", "two workers", "ratio"),
        rows,
        [f"{LOAD.connections} connections; wrk itself takes its share of the two cores."],
    )


def _rounds(
    cases: dict[str, tuple[tuple[str, str], tuple[str, str]]],
) -> dict[str, list[tuple[float, float]]]:
    for one, two in cases.values():
        for url, path in (one, two, two):  # both of the two workers have answered before
            ask(url, path, load=WARM_UP)
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (one, two) in cases.items():
            pairs[name].append((ask(*one, load=LOAD).rate, ask(*two, load=LOAD).rate))
    return pairs
