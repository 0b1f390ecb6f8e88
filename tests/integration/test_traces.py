"""Traces: what a real receiver gets, what never stands in them, and that nobody who asks for none has any."""

import sys

import asyncpg
import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from structlog.testing import capture_logs

from service.settings import Settings
from service.tracing import spans_of
from tests.support.api import PREFIX
from tests.support.children import run_program
from tests.support.otlp import Receiver, attributes, receiving
from tests.support.served import served

SUMMARY = f"GET {PREFIX}/summary"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def _named(receiver: Receiver, name: str) -> list[Span]:
    return [span for span in receiver.spans() if span.name == name]


async def test_a_receiver_gets_a_request_its_statements_and_its_commands(
    settings: Settings, database: asyncpg.Connection, redis: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        with served(settings) as url:
            async with httpx.AsyncClient(base_url=url) as client:
                given = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "caller-1"}
                asked = await client.get(f"{PREFIX}/summary?site_id=private-site", headers=given)
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


def test_without_them_nothing_that_makes_or_sends_them_is_loaded() -> None:
    script = "import sys, service.app; print(*sys.modules)"
    loaded = run_program([sys.executable, "-c", script], capture_output=True).stdout.split()
    assert "service.app" in loaded
    makers = ("service.tracing.spans", "opentelemetry.instrumentation", "opentelemetry.exporter")
    assert not any(name.startswith(makers) for name in loaded)


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
