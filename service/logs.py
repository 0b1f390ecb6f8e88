"""Logs: one JSON object a line, or lines for people; Granian's and the libraries' go the same way.

Tracebacks come without local variables: those hold addresses, passwords and tokens.
"""

import sys
from typing import Any, Literal

import msgspec
import structlog
from structlog.typing import Processor

LogFormat = Literal["json", "console"]
LEVEL = 20

_SHARED: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(log_format: LogFormat) -> None:
    """Set structlog up for this process."""
    as_bytes = log_format == "json"
    structlog.configure(
        processors=[*_SHARED, *_rendering(log_format, as_bytes=as_bytes)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVEL),
        logger_factory=structlog.BytesLoggerFactory() if as_bytes else structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )


def standard_library(log_format: LogFormat) -> dict[str, Any]:
    """The same for what logs through the standard library, as logging.config.dictConfig takes it."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": list(_SHARED),
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_rendering(log_format, as_bytes=False),
        ],
    }
    to_stdout = {"class": "logging.StreamHandler", "formatter": "ours", "stream": "ext://sys.stdout"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": formatter},
        "handlers": {"stdout": to_stdout},
        "loggers": {"_granian": {"level": "INFO"}},
        "root": {"handlers": ["stdout"], "level": "WARNING"},
    }


def _rendering(log_format: LogFormat, *, as_bytes: bool) -> list[Processor]:
    if log_format == "console":
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain)]
    serializer = _json if as_bytes else _json_text
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer)]


def _json(event: Any, **_: Any) -> bytes:  # noqa: ANN401
    return msgspec.json.encode(event, enc_hook=repr)


def _json_text(event: Any, **_: Any) -> str:  # noqa: ANN401
    return _json(event).decode()
