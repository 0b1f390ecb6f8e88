"""A client that openapi-python-client makes of the document makes every call and reads every answer."""

import importlib
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import pytest

from service.api.openapi import document
from service.api.table import ENDPOINTS
from tests.support.builders import Database, incident, insert, job, run, template
from tests.support.children import run_program
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tokens import SECRET, bearer, token

NAME = "made_client"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The client's package."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(document())
    (folder / "settings.yaml").write_text("post_hooks: []")  # it would be formatted
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--fail-on-warning"]
    options = ("--path", "openapi.json", "--config", "settings.yaml", "--meta", "none", "--output-path", NAME)
    run_program([*command, *options], cwd=folder, capture_output=True)
    sys.path.insert(0, str(folder))
    yield importlib.import_module(NAME)
    sys.path.remove(str(folder))


AT = {"created_at": NOW}
ROWS = Database(
    jobs=[job(status="failed", attempt_count=3, **AT), job(status=None, **AT)],
    runs=[run(status="failed", result={"result_code": {"odd": [1]}}, **AT), run(**AT)],
    incidents=[incident(status="open", **AT)],
    plans=[template("pump", active=True)],
)
Call = Callable[..., Awaitable[Any]]
Calling = Callable[[], AbstractAsyncContextManager[Call]]


@pytest.fixture
def calling(made: ModuleType, database: asyncpg.Connection, serve: Serve) -> Calling:
    """Starts the service: `async with calling() as call`, then `await call(tag, name)` with a token.

    That gives what the client makes of the answer, whose status must be `status`.
    """

    @asynccontextmanager
    async def start() -> AsyncIterator[Call]:
        await insert(database, ROWS)
        async with serve(NOW, auth="required", jwt_secret=SECRET) as served:
            served.headers.update(bearer(token()))
            client = made.Client("http://test").set_async_httpx_client(served)

            async def call(tag: str, name: str, status: int = 200, **parameters: Any) -> Any:  # noqa: ANN401
                module = importlib.import_module(f"{NAME}.api.{tag}.{name}")
                response = await module.asyncio_detailed(client=client, **parameters)
                assert response.status_code == status
                return response.parsed

            yield call

    return start


def parts(value: Any) -> Iterator[Any]:  # noqa: ANN401
    """An answer and all that is in it."""
    yield value
    inner = [getattr(value, field.name) for field in getattr(value, "__attrs_attrs__", ())]
    for each in value if isinstance(value, list) else inner:
        yield from parts(each)


async def test_every_call_can_be_made_and_its_answer_read(calling: Calling) -> None:
    async with calling() as call:
        for endpoint in ENDPOINTS:
            name = endpoint.path.strip("/").replace("/", "_").replace("-", "_")
            answer = await call(endpoint.tag, name)
            if isinstance(answer, str):
                continue
            assert answer.operator_id == 7
            found = list(parts(answer))
            assert any(isinstance(part, datetime) for part in found)
            assert not [part for part in found if isinstance(part, str) and INSTANT.match(part)]


async def test_instants_and_codes_are_what_they_are_in_python(calling: Calling) -> None:
    async with calling() as call:
        alerts = await call("figures", "alerts")
        assert alerts.generated_at == NOW
        assert alerts.hints[0].code.name == "DOC_SYNC_DEAD_LETTER_RATE_HIGH"
        runs = await call("failures", "workflow_failures")
        (failed,) = runs.runs
        assert (type(failed).__name__, failed.created_at) == ("FailedRun", NOW)
        assert failed.result_code == {"odd": [1]}


async def test_files_and_metrics_are_texts(calling: Calling, made: ModuleType) -> None:
    async with calling() as call:
        formats = importlib.import_module(f"{made.__name__}.models").SummaryExportExportFormat
        for export_format, beginning in (
            (formats.JSON, '{\n  "generated_at"'),
            (formats.CSV, "metric,value\r\n"),
            (formats.MD, "# Parallel Ops Summary\n"),
        ):
            text = await call("files", "summary_export", export_format=export_format)
            assert text.startswith(beginning)
        assert (await call("files", "report")).startswith("# Parallel operations: report of 2026-03-10\n")
        assert "yuantus_parallel_workflow_runs_total" in await call("monitoring", "metrics")


async def test_a_refusal_is_read_as_well(calling: Calling) -> None:
    async with calling() as call:
        refusal = await call("failures", "doc_sync_failures", 400, page_size=201)
        assert refusal.detail.code.name == "PARALLEL_OPS_INVALID_REQUEST"
        assert refusal.detail.context["page_size"] == 201
