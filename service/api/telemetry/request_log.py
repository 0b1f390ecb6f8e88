"""One line a request. It holds no token, no parameter and no result.

Hot requests are many and lines are cheap only when little happens for each: in JSON a line is
encoded from a struct, past the processors that other log events run through.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from service.api.context import RequestContext
from service.api.telemetry.health import LIVE, READY
from service.api.telemetry.own_metrics import OWN_METRICS
from service.tenants.tenant import EVERYBODY

# What asks every few seconds and is well would hide what matters.
_QUIET = frozenset({LIVE, READY, OWN_METRICS})
_FAILED = 500

log = structlog.get_logger(__name__)


class _Line(Struct):
    timestamp: datetime
    level: str
    event: str
    method: str
    route: str
    status: int
    milliseconds: float
    cache: str | None
    operator: int | None
    tenant: str | None
    request_id: str


def request_log(log_format: Literal["json", "console"]) -> Callable[[RequestContext, float], None]:
    """What is told of every request and the seconds that it took."""
    write = _json_writer() if log_format == "json" else _console

    def note(context: RequestContext, seconds: float) -> None:
        failed = context.status >= _FAILED
        if context.route in _QUIET and not failed:
            return
        write(
            _Line(
                datetime.now(UTC),
                "error" if failed else "info",
                "request",
                context.method,
                context.route,
                context.status,
                round(seconds * 1000, 3),
                context.cache or None,
                context.operator_id,
                context.tenant.tag if context.tenant not in (None, EVERYBODY) else None,
                context.request_id.decode(),
            )
        )

    return note


def _json_writer() -> Callable[[_Line], None]:
    encode, stream = msgspec.json.Encoder().encode, sys.stdout.buffer

    def write(line: _Line) -> None:
        stream.write(encode(line) + b"\n")
        stream.flush()

    return write


def _console(line: _Line) -> None:
    fields = msgspec.structs.asdict(line)
    del fields["timestamp"], fields["level"]
    log.info(**fields)
