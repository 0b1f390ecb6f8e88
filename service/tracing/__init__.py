"""Whether traces are asked for: only then is what makes or sends spans made, so that none cost nothing.

Where the extra is installed, redis-py and Litestar load their own share of OpenTelemetry all the same.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from service.tracing.spans import Spans

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"

log = structlog.get_logger(__name__)


def spans_of(environment: Mapping[str, str]) -> "Spans | None":
    """What makes spans where the standard variables name a receiver; None where they name none.

    What cannot be sent is a warning and no more: figures matter more than traces of them.
    """
    if not _asked_for(environment):
        return None
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), PROTOCOL)
    if protocol != PROTOCOL:
        log.warning("no traces: they are sent by OTLP over HTTP alone", remedy=f"{PROTOCOLS[1]}={PROTOCOL}")
        return None
    try:
        spans: Spans = import_module("service.tracing.spans").Spans()
    except ImportError as error:
        log.warning("no traces: a package is missing", error=str(error), remedy="install parallel-ops[otel]")
        return None
    return spans


def _asked_for(environment: Mapping[str, str]) -> bool:
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    return (
        not disabled and exporter == "otlp" and any(environment.get(name, "").strip() for name in ENDPOINTS)
    )
