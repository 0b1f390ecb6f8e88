"""Health: whether this process lives, and whether it should be given requests.

Probing costs next to nothing and never hangs: the checks run at most once a second, one at a time,
and whoever asks gets an answer within WAIT_SECONDS, whatever the servers behind do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec
import structlog
from litestar import MediaType, Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from service.api.access.admission import PROBED
from service.api.reading import readable

LIVE, READY = "/health/live", "/health/ready"
KEPT_SECONDS = 1.0
WAIT_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Unhealthy(Exception):
    """A check failed; the message is for everybody to read, so it holds no address and no name."""


class Check(Struct, frozen=True, omit_defaults=True):
    """How one check went, and the seconds that it took."""

    status: Literal["ok", "failed"]
    seconds: float
    reason: str | None = None


class Report(Struct, frozen=True):
    """Whether this process should be given requests, and why. `checked_at` is when the checks ran."""

    status: Literal["ready", "not_ready", "draining"]
    checked_at: datetime
    checks: dict[str, Check]


class Readiness:
    """Runs `checks` by name, each of which returns or raises Unhealthy.

    Only those in `needed` decide; the others are reported. `draining` says whether shutdown has begun.
    """

    def __init__(
        self,
        checks: Mapping[str, Callable[[], Awaitable[None]]],
        needed: frozenset[str],
        draining: Callable[[], bool],
    ) -> None:
        self._checks = checks
        self._needed = needed
        self._draining = draining
        self._running: dict[str, asyncio.Task[Check]] = {}
        self._round: asyncio.Task[Report] | None = None
        self._again_at = 0.0
        self._failed: dict[str, str] = {}

    async def report(self) -> Report:
        """The state of now, from checks that are at most KEPT_SECONDS old."""
        if self._round is None or (self._round.done() and time.monotonic() >= self._again_at):
            self._round = asyncio.create_task(self._run())
        report = await asyncio.shield(self._round)
        return msgspec.structs.replace(report, status="draining") if self._draining() else report

    async def close(self) -> None:
        """Stop checks that still run."""
        tasks = [*self._running.values(), *([self._round] if self._round else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> Report:
        """All checks side by side. One that hangs is left running, not started again, and has failed."""
        for name, check in self._checks.items():
            if name not in self._running:
                self._running[name] = asyncio.create_task(_checked(name, check))
        await asyncio.wait(self._running.values(), timeout=WAIT_SECONDS)
        checks = {}
        for name, task in list(self._running.items()):
            if task.done():
                checks[name] = task.result()
                del self._running[name]
            else:
                checks[name] = Check("failed", WAIT_SECONDS, f"no answer within {WAIT_SECONDS:g} s")
        failed = {name: check.reason for name, check in checks.items() if check.reason is not None}
        # One that is late says nothing new of a server that is known to be away.
        late = {name: reason for name, reason in self._failed.items() if name in self._running}
        self._tell(failed | late)
        ready = all(checks[name].status == "ok" for name in self._needed)
        self._again_at = time.monotonic() + KEPT_SECONDS
        return Report("ready" if ready else "not_ready", datetime.now(UTC), checks)

    def _tell(self, failed: dict[str, str]) -> None:
        """A line in the log when other checks fail than before, or for another reason."""
        if failed != self._failed:
            if failed:
                log.warning("health checks fail", reasons=failed)
            else:
                log.info("health checks go well again")
        self._failed = failed


async def _checked(name: str, check: Callable[[], Awaitable[None]]) -> Check:
    started = time.monotonic()
    try:
        await check()
    except Unhealthy as reason:
        return Check("failed", _since(started), str(reason))
    except Exception as error:  # whatever a driver raises, the probe gets its answer
        log.exception("health check failed", check=name, error=str(error))
        return Check("failed", _since(started), "unexpected error, see the log")
    return Check("ok", _since(started))


def _since(started: float) -> float:
    return round(time.monotonic() - started, 4)


def health_routes(readiness: Readiness) -> list[HTTPRouteHandler]:
    """The two endpoints for balancers and orchestrators; nobody needs a token for them."""

    @readable(LIVE, media_type=MediaType.JSON, opt=PROBED, sync_to_thread=False)
    def live() -> Response[bytes]:
        """This process answers."""
        return _answer(200, {"status": "live"})

    @readable(READY, media_type=MediaType.JSON, opt=PROBED)
    async def ready() -> Response[bytes]:
        """This process should be given requests (200), or should not (503)."""
        report = await readiness.report()
        return _answer(200 if report.status == "ready" else 503, report)

    return [live, ready]


def _answer(status: int, content: object) -> Response[bytes]:
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        media_type=MediaType.JSON,
        headers={"cache-control": "no-store"},
    )
