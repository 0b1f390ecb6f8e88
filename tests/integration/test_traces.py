"""Traces: what a real receiver gets, what never stands in them, and that nobody who asks for none has any."""

import os
import sys
from typing import Any

import asyncpg
import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from structlog.testing import capture_logs

from service.settings import Settings
from service.tracing import spans_of
from tests.support.api import PREFIX
from tests.support.children import run_program
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.otlp import Receiver, attributes, receiving
from tests.support.served import served
from tests.support.tenants import SCHEMA_TEMPLATE, make_schemas
from tests.support.tokens import SECRET, bearer, token

SUMMARY = f"GET {PREFIX}/summary"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def _named(receiver: Receiver, name: str) -> list[Span]:
    return [span for span in receiver.spans() if span.name == name]


@pytest.mark.parametrize(
    "changes",
    [{}, {"tenants": "acme", "database_schema": SCHEMA_TEMPLATE, "auth": "required", "jwt_secret": SECRET}],
    ids=["one", "many"],
)
async def test_a_receiver_gets_a_request_its_statements_and_its_commands(
    serve: Serve, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    """Where there are many tenants, too, whose databases are opened as they ask."""
    await make_schemas(database, ["acme"])
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        async with serve(NOW, spans=spans_of(os.environ), **changes) as client:
            given = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "caller-1"}
            headers = given | bearer(token())
            asked = await client.get(f"{PREFIX}/summary?site_id=private-site", headers=headers)
            for _ in range(2):
                await client.get("/health/ready")
        assert asked.status_code == 200
        # The service has ended, and with it has sent what was left.
        (request,) = _named(receiver, SUMMARY)
        assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
        told = attributes(request.attributes)
        assert told["http.route"] == f"{PREFIX}/summary"
        assert told["http.response.header.x_request_id"] == "caller-1"
        assert told["http.response.header.x_cache"] == "miss"
        within = {
            attributes(span.attributes).get("db.system")
            for span in receiver.spans()
            if (span.trace_id, span.parent_span_id) == (request.trace_id, request.span_id)
        }
        assert {"postgresql", "redis"} <= within
        assert receiver.services() == {"parallel-ops"}
        # Nothing of probes, and nothing that a caller filters by.
        assert {span.trace_id.hex() for span in receiver.spans()} == {TRACE}
        assert not any(b"private-site" in body for body in receiver.bodies)


async def test_a_receiver_that_is_away_costs_no_answer_and_no_end(
    settings: Settings, database: asyncpg.Connection, redis: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/v1/traces")
    with served(settings) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get(f"{PREFIX}/summary")).status_code == 200


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nobody_who_does_not_ask_for_traces_has_them(environment: dict[str, str]) -> None:
    with capture_logs() as logs:
        assert spans_of(environment) is None
    assert logs == []


OFF = """
import os, sys
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from service.app import application

os.environ.update(zip(sys.argv[1::2], sys.argv[2::2]))
application()
print(isinstance(get_tracer_provider(), ProxyTracerProvider), *sys.modules)
"""


def test_without_them_nothing_makes_or_sends_them(settings: Settings) -> None:
    """What redis-py and Litestar load of OpenTelemetry, where it is installed, is theirs."""
    given = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "AUTH": "disabled"}
    variables = [part for name, value in given.items() for part in (f"PARALLEL_OPS_{name}", value)]
    program = [sys.executable, "-c", OFF, *variables]
    is_unset, *loaded = run_program(program, capture_output=True).stdout.splitlines()[-1].split()
    assert (is_unset, "service.app" in loaded) == ("True", True)
    ours = ("redis", "sqlalchemy")
    makers = (*(f"opentelemetry.instrumentation.{each}" for each in ours), "opentelemetry.exporter")
    assert not any(name.startswith(("service.tracing.spans", *makers)) for name in loaded)


@pytest.mark.parametrize(
    ("missing", "protocol", "remedy"),
    [
        (True, "http/protobuf", "install parallel-ops[otel]"),
        (False, "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
    ],
)
def test_what_cannot_be_sent_is_a_warning_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, missing: bool, protocol: str, remedy: str
) -> None:
    if missing:  # as where the extra is not installed
        monkeypatch.setitem(sys.modules, "service.tracing.spans", None)
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    with capture_logs() as logs:
        assert spans_of(asked) is None
    assert [line["remedy"] for line in logs] == [remedy]
