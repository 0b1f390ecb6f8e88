"""The OpenAPI document is true: schemathesis holds a running server to it, with all checks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.builders import Database, clear, incident, insert, job, run, template
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.instances import Instance
from tests.support.openapi import schemathesis

REFUSALS = ("400", "401", "403", "404", "405", "408", "413", "414", "421", "429", "431", "503")


@pytest.fixture(scope="module")
async def instance(
    admin: asyncpg.Connection, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Instance]:
    """A server process with a little data, for all tests of this file; the others want no data."""
    await clear(admin)
    await insert(
        admin,
        Database(
            jobs=[job(status=status, created_at=NOW) for status in ("failed", "completed", None)],
            runs=[run(status=status, created_at=NOW) for status in ("failed", "warning")],
            incidents=[incident(status="open", created_at=NOW)],
            plans=[template("pump", active=True), template("pump", active=True), template("seal")],
        ),
    )
    served = Instance(settings, tmp_path_factory.mktemp("served") / "service.log")
    served.start()
    await served.ready()
    yield served
    served.kill()


async def test_no_answer_breaks_the_document(instance: Instance, tmp_path: Path) -> None:
    """Positive and negative data alike: no 5xx, nothing undocumented, nothing bad that is taken."""
    report = await asyncio.to_thread(schemathesis, instance.url, tmp_path)
    assert report.returncode == 0, report.stdout + report.stderr


async def test_every_parameter_and_every_answer_is_described(serve: Serve) -> None:
    async with serve(NOW) as client:
        document = (await client.get("/schema/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        PREFIX + path
        for path in (
            *("/summary", "/trends", "/alerts", "/budgets", "/summary/export", "/trends/export", "/metrics"),
            *("/report",),
            *("/doc-sync/failures", "/workflow/failures"),
        )
    }
    for operations in document["paths"].values():
        assert list(operations) == ["get"]
        operation = operations["get"]
        assert operation["summary"]
        assert set(operation["responses"]) == {"200", "304", *REFUSALS}
        assert {"ETag", "Cache-Control", "Age", "X-Cache"} <= set(operation["responses"]["200"]["headers"])
        for parameter in operation["parameters"]:
            assert parameter["description"].endswith(".")


async def test_allowed_values_are_listed(serve: Serve) -> None:
    async with serve(NOW) as client:
        document = (await client.get("/schema/openapi.json")).json()
    trends, alerts, export, failures = (
        _schemas(document, path) for path in ("/trends", "/alerts", "/summary/export", "/doc-sync/failures")
    )
    assert trends["window_days"] == {"type": "integer", "enum": [1, 7, 14, 30, 90], "default": 7}
    assert trends["bucket_days"] == {"type": "integer", "enum": [1, 7, 14, 30], "default": 1}
    assert set(alerts["level"]["enum"]) - {""} == {"warn", "critical", "info"}
    assert set(export["export_format"]["enum"]) - {""} == {"json", "csv", "md"}
    assert failures["page"] == {"type": "integer", "minimum": 1, "default": 1}
    assert failures["page_size"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 20}


def _schemas(document: dict[str, Any], path: str) -> dict[str, Any]:
    parameters = document["paths"][PREFIX + path]["get"]["parameters"]
    return {parameter["name"]: parameter["schema"] for parameter in parameters}


async def test_a_live_server_takes_queries_that_are_not_percent_encoded(instance: Instance) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", instance.port)
    request = f"GET {PREFIX}/summary?site_id=工場 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 200 ")
    assert '"site_filter":"工場"' in answer


async def test_a_live_server_answers_options_as_the_contract_says(instance: Instance) -> None:
    async with httpx.AsyncClient(base_url=instance.url) as client:
        for method in ("OPTIONS", "POST"):
            response = await client.request(method, f"{PREFIX}/summary")
            assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
