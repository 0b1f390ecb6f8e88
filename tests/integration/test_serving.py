"""The service as a process: it ends without losing a request, and bounds what it takes."""

import asyncio
import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from click.testing import CliRunner

from demo.process import free_port
from service.cli import main
from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.served import END_SECONDS, launched, served
from tests.support.tokens import SECRET, bearer, claims, token
from tests.support.waiting import probed, until, until_blocked

pytestmark = pytest.mark.usefixtures("redis")

COLD = f"{PREFIX}/doc-sync/failures"


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where services that are started put the files that they need while they run."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}:/elsewhere")
    return tmp_path


@pytest.fixture(scope="module")
def of_callers(settings: Settings, admin: asyncpg.Connection) -> Generator[str]:
    """The address of a server process with two workers, for those tests that need not see it start or end."""
    with served(settings, auth="required", jwt_secret=SECRET, workers=2) as url:
        yield url


@asynccontextmanager
async def locked_jobs(database: asyncpg.Connection) -> AsyncIterator[None]:
    """No statement on the jobs table ends before the block does."""
    async with database.transaction():
        await database.execute("LOCK TABLE meta_conversion_jobs IN ACCESS EXCLUSIVE MODE")
        yield


async def until_ended(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(process.wait, END_SECONDS)


@pytest.mark.parametrize(
    ("last", "workers"), [(signal.SIGTERM, 1), (signal.SIGINT, 2)], ids=["SIGTERM", "Ctrl-C"]
)
async def test_a_request_under_way_is_answered_before_the_end(
    settings: Settings,
    database: asyncpg.Connection,
    temporary: Path,
    last: signal.Signals,
    workers: int,
) -> None:
    port = free_port()
    with launched(settings, port, workers, drain_seconds="0.3") as process:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            async with locked_jobs(database):
                cold = asyncio.create_task(client.get(COLD))
                await until_blocked(database)
                if last == signal.SIGINT:  # a terminal's Ctrl-C reaches the whole group
                    os.killpg(process.pid, last)
                else:
                    process.send_signal(last)
                await until_refused(port)
                assert process.poll() is None
            assert (await cold).status_code == 200
        assert await until_ended(process) == 0
    assert not any(member.is_running() for member in family)
    assert os.listdir(temporary) == []


async def test_readiness_goes_first_and_requests_are_still_answered(
    settings: Settings, database: object
) -> None:
    port = free_port()
    with launched(settings, port, drain_seconds="60") as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await probed(client)
            process.terminate()
            deadline = time.monotonic() + 5
            while (report := await client.get("/health/ready")).status_code == 200:
                assert time.monotonic() < deadline
            assert report.json()["status"] == "draining"
            assert (await client.get(f"{PREFIX}/summary")).status_code == 200
            assert (await client.get("/health/live")).status_code == 200
        process.terminate()  # whoever is in a hurry asks twice
        assert await until_ended(process) == 0


async def test_it_ends_though_its_files_are_gone(
    settings: Settings, database: object, temporary: Path
) -> None:
    with launched(settings, free_port()) as process:
        (folder,) = os.listdir(temporary)
        shutil.rmtree(temporary / folder)
        process.terminate()
        assert await until_ended(process) == 0


async def test_its_files_are_not_among_those_that_are_cleaned_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with launched(settings, free_port()):
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "Address already in use"),
        ("192.0.2.1", "Cannot assign requested address"),
        ("no such host", "Name or service not known"),
    ],
)
async def test_an_address_that_cannot_be_had_is_two_lines(
    settings: Settings, of_callers: str, host: str, words: str
) -> None:
    port = str(httpx.URL(of_callers).port)  # of ours, who would share it
    variables = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "AUTH": "disabled"}
    environment = {f"PARALLEL_OPS_{name}": value for name, value in variables.items()}
    result = await asyncio.to_thread(
        CliRunner().invoke, main, ["serve", "--host", host, "--port", port], env=environment
    )
    assert (result.exit_code, words in result.output) == (1, True)
    assert "Traceback" not in result.output


async def test_the_end_does_not_wait_for_ever(settings: Settings, database: asyncpg.Connection) -> None:
    port = free_port()
    with launched(settings, port, drain_seconds="0", shutdown_seconds="1") as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            async with locked_jobs(database):
                cold = asyncio.create_task(client.get(COLD))
                await until_blocked(database)
                process.terminate()
                assert await until_ended(process) == 0
            with pytest.raises(httpx.TransportError):
                await cold


async def test_workers_end_with_a_parent_that_was_killed_and_leave_nothing_behind(
    settings: Settings, database: object, temporary: Path
) -> None:
    with launched(settings, free_port(), workers=2) as process:
        workers = psutil.Process(process.pid).children()
        assert os.listdir(temporary) != []
        process.kill()
        await until(lambda: not any(worker.is_running() for worker in workers))
    assert os.listdir(temporary) == []


async def test_a_dead_worker_is_replaced_and_forgotten_by_the_gauges(
    settings: Settings, database: object
) -> None:
    port = free_port()
    with launched(settings, port) as process:
        (worker,) = psutil.Process(process.pid).children()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert (await client.get(f"{PREFIX}/summary")).status_code == 200
            before = await client.get("/metrics")
            worker.kill()
        deadline = time.monotonic() + END_SECONDS
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            while True:
                try:
                    after = await client.get("/metrics")
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                else:
                    break
        limit = 'parallel_ops_database_connections{state="limit"} 4.0'
        assert limit in before.text
        assert limit in after.text
        summaries = f'parallel_ops_requests_total{{route="{PREFIX}/summary",status="200"}} 1.0'
        assert summaries in before.text
        assert summaries in after.text
        process.terminate()
        assert await until_ended(process) == 0


async def test_what_is_too_long_is_refused(of_callers: str, database: object) -> None:
    async with httpx.AsyncClient(base_url=of_callers, headers=bearer(token())) as client:
        long_url = await client.get(f"{PREFIX}/summary?x={'x' * 9000}")
        assert (long_url.status_code, long_url.json()["detail"]["code"]) == (
            414,
            "parallel_ops_uri_too_long",
        )
        huge_token = await client.get(f"{PREFIX}/summary", headers=bearer("x" * 100_000))
        assert (huge_token.status_code, huge_token.headers["www-authenticate"]) == (401, "Bearer")
        huge_head = await client.get("/health/live", headers={"X-Padding": "x" * 300_000})
        assert huge_head.status_code == 431


async def test_bodies_over_a_kilobyte_are_packed_for_who_takes_that(
    serve: Serve, database: asyncpg.Connection
) -> None:
    paths = (f"{PREFIX}/trends?window_days=90", f"{PREFIX}/metrics", f"{PREFIX}/summary/export")
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        for path in paths:
            headers = bearer(token())
            plain = await client.get(path, headers=headers | {"Accept-Encoding": "identity"})
            packed = await client.get(path, headers=headers | {"Accept-Encoding": "gzip"})
            raw = gzip.compress(plain.content)
            assert "content-encoding" not in plain.headers
            vary = "Accept-Encoding, Authorization, Cookie"
            assert plain.headers["vary"] == packed.headers["vary"] == vary
            assert plain.headers["etag"] == packed.headers["etag"]
            assert packed.content == plain.content
            if len(plain.content) > 1025:
                assert packed.headers["content-encoding"] == "gzip"
                assert int(packed.headers["content-length"]) < 1.2 * len(raw)


async def test_what_no_caller_shares_is_packed_too(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        stylesheet = re.search(r"/static/board\.\w+\.css", (await client.get("/")).text)
        assert stylesheet
        for path, is_large in (
            ("/metrics", True),
            ("/schema/openapi.json", True),
            (stylesheet[0], True),
            ("/health/ready", False),
        ):
            plain = await client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
            packed = await client.get(path, headers={"Accept-Encoding": "br, gzip"})
            assert "content-encoding" not in plain.headers
            assert packed.headers.get("content-encoding") == ("gzip" if is_large else None)
            assert packed.headers.get("vary") == ("accept-encoding" if is_large else None)
            assert path in ("/metrics", "/health/ready") or packed.content == plain.content
            if is_large:
                assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2


async def test_two_callers_unpack_their_own_answer(serve: Serve, database: object) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        for operator in ("1", "22", "333"):
            headers = bearer(token({"sub": operator, "tenant_id": "t", "exp": 2**33}))
            answer = await client.get(f"{PREFIX}/trends?window_days=90", headers=headers)
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.json()["operator_id"] == int(operator)


async def test_callers_who_ask_at_once_get_their_own_answers(of_callers: str, database: object) -> None:
    operators = [1000 + number for number in range(20)] * 10
    async with httpx.AsyncClient(base_url=of_callers, timeout=30) as client:
        headers = {operator: bearer(token(claims(sub=str(operator)))) for operator in set(operators)}
        asked = [client.get(f"{PREFIX}/alerts", headers=headers[operator]) for operator in operators]
        answers = [response.json() for response in await asyncio.gather(*asked)]
    assert [answer["operator_id"] for answer in answers] == operators


async def test_every_response_has_the_security_headers(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        for path in (f"{PREFIX}/summary", f"{PREFIX}/nothing", "/health/live", "/metrics", "/nothing"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "PARALLEL_OPS_DATABASE_URL"),
        ({}, "PARALLEL_OPS_REDIS_URL"),
        ({}, "PARALLEL_OPS_JWT_PUBLIC_KEY"),
        ({}, "PARALLEL_OPS_AUTH=disabled"),
        ({"REDIS_URI": "redis://r"}, "did you mean PARALLEL_OPS_REDIS_URL?"),
        ({"DATABASE_URL": "mysql://db"}, "PARALLEL_OPS_DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://db/plm", "REDIS_URL": "redis://r"}, "PARALLEL_OPS_JWT_SECRET"),
    ],
)
def test_without_configuration_it_says_what_is_missing(variables: dict[str, str], named: str) -> None:
    unset = {name: None for name in os.environ if name.startswith("PARALLEL_OPS_")}
    environment = unset | {f"PARALLEL_OPS_{name}": value for name, value in variables.items()}
    result = CliRunner().invoke(main, ["serve"], env=environment)
    message = result.output
    assert result.exit_code == 2
    assert named in message
    assert "for example" in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--port", "99999"),
        ("serve", "--port", "0"),
        ("serve", "--workers", "0"),
        ("demo", "--rows", "-5"),
    ],
)
def test_an_option_that_means_nothing_is_refused(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert words[1] in result.output
    assert "range" in result.output


async def until_refused(port: int) -> None:
    """Wait until the service takes no new connection."""

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return True
        return False

    await until(refused)
