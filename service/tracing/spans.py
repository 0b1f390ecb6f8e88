"""Spans of requests, of commands to Redis and of statements, sent by OTLP over HTTP.

OpenTelemetry's own variables configure them all. No span holds what callers filter by: its URL has no query,
a statement and a command have placeholders.
"""

import asyncio
from functools import partial
from threading import Thread
from typing import Any

from litestar.types import ASGIApp, Middleware, Receive, Scope, Send
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span
from redis.asyncio import Redis

from service.api.telemetry.health import LIVE, READY
from service.api.telemetry.own_metrics import OWN_METRICS
from service.version import VERSION

# What asks every few seconds would hide what matters, and so would what it asks.
_UNSEEN = frozenset({LIVE, READY, OWN_METRICS})
# By the first, a span and a line of the log are found by one another; the second says hit, stale or miss.
_TOLD = ["x-request-id", "x-cache"]
_URLS = ("http.url", "http.target", "url.full", "url.query")
CLOSE_SECONDS = 3.0


class Spans:
    """Makes spans and sends them from a thread of its own."""

    def __init__(self) -> None:
        ours = Resource.create({"service.name": "parallel-ops", "service.version": VERSION})
        resource = ours.merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    @property
    def middleware(self) -> list[Middleware]:
        """Litestar middleware, to stand before all other.

        Litestar's own plugin stands before its routing, and so would name a span by its path, not its route.
        """
        requests: Any = partial(
            OpenTelemetryMiddleware,
            tracer_provider=self._provider,
            default_span_details=_details,
            server_request_hook=_forget_query,
            http_capture_headers_server_response=_TOLD,
            exclude_spans=["receive", "send"],
        )
        return [_unseen, requests]

    def follow(self, redis: Redis) -> None:
        """Make spans of what is asked of it, and of the statements of databases that are made from now on."""
        RedisInstrumentor.instrument_client(redis, tracer_provider=self._provider)
        # It says that it knows no SQLAlchemy from 2.1 on; the events that it listens to are the same there.
        SQLAlchemyInstrumentor().instrument(tracer_provider=self._provider, skip_dep_check=True)

    async def close(self) -> None:
        """Send what is left, but wait for no receiver that does not answer."""
        SQLAlchemyInstrumentor().uninstrument()
        sending = Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, CLOSE_SECONDS)


def _details(scope: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - as Litestar's routing leaves it
    """Name and attributes of a request's span."""
    route = scope["path_template"]
    return f"{scope['method']} {route}", {"http.route": route}


def _forget_query(span: Span, _: dict[str, Any]) -> None:
    attributes = (span.attributes if isinstance(span, ReadableSpan) else None) or {}
    for name in _URLS:
        if name in attributes:
            span.set_attribute(name, "" if name == "url.query" else str(attributes[name]).partition("?")[0])


def _unseen(app: ASGIApp) -> ASGIApp:
    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _UNSEEN:
            with suppress_instrumentation():
                await app(scope, receive, send)
        else:
            await app(scope, receive, send)

    return pass_on
