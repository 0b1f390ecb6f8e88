"""Load from wrk, Debian's package, always at a service on this machine."""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tests.support.children import run_program
from tests.support.tokens import bearer, token

SCRIPT = Path(__file__).with_name("load.lua")
# wrk ends by itself; should it not, it is ended.
SPARE_SECONDS = 30


class Load(Struct, frozen=True):
    """How hard to ask: connections, seconds, and each connection's mean pause before a request."""

    connections: int = 32
    seconds: int = 5
    pause_milliseconds: int = 0


class Result(Struct, frozen=True):
    """What came of it; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    p999: float
    longest: float
    failed: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def ask(url: str, *paths: str, load: Load) -> Result:
    """Ask for the paths in turn, as one caller with a good token. Raises when a single request fails."""
    assert urlsplit(url).hostname == "127.0.0.1"
    headers = [f"{name}: {value}" for name, value in bearer(token()).items()]
    command: list[str | Path] = [
        *("wrk", "--threads", "1", "--connections", str(load.connections)),
        *("--duration", f"{load.seconds}s", "--timeout", "10s", "--script", SCRIPT),
        *(word for header in headers for word in ("--header", header)),
        *(url, "--", str(load.pause_milliseconds), *paths),
    ]
    done = run_program(
        command,
        capture_output=True,
        check=True,
        timeout=load.seconds + SPARE_SECONDS,
    )
    result = msgspec.json.decode(done.stdout.rpartition("\n{")[2].join(("{", "")), type=Result)
    assert result.failed == 0, done.stdout
    return result
