"""From a process's start to ready, and what its imports take."""

import sys
import time

import httpx

from benchmarks.report import Table, spread
from benchmarks.stage import service, stage
from demo.seed import Counts
from tests.support.children import run_program

ROUNDS = 9
IMPORTS = {
    "python alone": "pass",
    "parallel-ops --help": "import service.cli",
    "the recorder, in a PLM's process": "import parallel_ops_recorder",
    "the application": "import service.app",
}
# What the application must not bring along: parts of the demo, and what only some configurations need.
UNWANTED = ("limits", "jwt", "psutil", "demo", "rich_click", "prometheus_client.exposition")


def run() -> Table:
    """Milliseconds of each, and the modules that came along unasked."""
    with stage(Counts.of(10_000)) as servers:
        ready = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            with service(servers, {"drain_seconds": "0"}) as starting:
                httpx.get(f"{starting.url}/health/ready").raise_for_status()
                ready.append(1000 * (time.perf_counter() - started))
    rows = [("`parallel-ops serve`, from process start to ready", spread(ready, ".0f"))]
    rows += [
        (f"imports: {name}", spread([_milliseconds(code) for _ in range(ROUNDS)], ".0f"))
        for name, code in IMPORTS.items()
    ]
    return Table(("", "ms"), rows, [f"Imported by the application though not needed: {_unwanted()}."])


def _milliseconds(code: str) -> float:
    started = time.perf_counter()
    run_program([sys.executable, "-c", code], check=True)
    return 1000 * (time.perf_counter() - started)


def _unwanted() -> str:
    code = f"import sys, service.app; print(*(name for name in {UNWANTED} if name in sys.modules))"
    found = run_program([sys.executable, "-c", code], check=True, capture_output=True)
    return ", ".join(found.stdout.split()) or "none"
