"""What the log says of a request, and what it never says."""

import json
import re
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from service import logs
from service.settings import Settings
from tests.support.addresses import nowhere
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.instances import Instance
from tests.support.tokens import SCRAPE_TOKEN, SECRET, bearer, claims, token
from tests.support.waiting import probed, until

ID = "X-Request-ID"


def lines(captured: pytest.CaptureFixture[bytes]) -> list[dict[str, Any]]:
    """The lines of requests since the last look."""
    found = [json.loads(line) for line in captured.readouterr().out.splitlines() if line.startswith(b"{")]
    return [line for line in found if line["event"] == "request"]


async def test_a_line_says_what_was_asked_and_how_it_went(
    serve: Serve, database: object, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        await client.get(
            f"{PREFIX}/summary?site_id=SH-01", headers={**bearer(token()), ID: "from-balancer.1"}
        )
        (line,) = lines(capsysbinary)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line.pop("timestamp"))
    assert line.pop("milliseconds") > 0
    assert line == {
        "level": "info",
        "event": "request",
        "method": "GET",
        "route": f"{PREFIX}/summary",
        "status": 200,
        "cache": "miss",
        "operator": 7,
        "tenant": None,
        "request_id": "from-balancer.1",
    }


async def test_every_request_has_a_line_but_probes_that_went_well(
    serve: Serve, database: object, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    async with serve(NOW) as client:
        for path in ("/summary", "/summary", "/summary?window_days=5", "/nothing"):
            await client.get(PREFIX + path)
        await client.post(f"{PREFIX}/summary")
        await probed(client)
        for path in ("/health/live", "/metrics"):
            await client.get(path)
        # On a machine that is busy some probe may go wrong before one goes well.
        late = ("/health/ready", 503)
        logged = [line for line in lines(capsysbinary) if (line["route"], line["status"]) != late]
    summary = f"{PREFIX}/summary"
    assert [(line["route"], line["status"], line["cache"]) for line in logged] == [
        (summary, 200, "miss"),
        (summary, 200, "hit"),
        (summary, 400, None),
        ("unknown", 404, None),
        (summary, 405, None),
    ]


async def test_what_failed_is_an_error_and_so_is_a_probe_that_did(
    serve: Serve, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    async with serve(NOW, database_url=nowhere("postgresql")) as client:
        await client.get(f"{PREFIX}/summary")
        await client.get("/health/ready")
        logged = lines(capsysbinary)
    assert [(line["status"], line["level"]) for line in logged] == [(503, "error"), (503, "error")]


async def test_the_request_id_is_given_back_or_made(serve: Serve, database: object) -> None:
    insane = ("", "x" * 65, "a b", "a\tb", "a;b", '"', "<script>", "é".encode().decode("latin-1"))
    async with serve(NOW) as client:
        assert (await client.get("/health/live", headers={ID: "A-z_0.9"})).headers[ID] == "A-z_0.9"
        made = [
            (await client.get("/health/live", headers=[(ID.encode(), given.encode("latin-1"))])).headers[ID]
            for given in insane
        ]
        made.append((await client.get("/health/live")).headers[ID])
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", each) for each in made)


async def test_no_secret_no_parameter_and_no_result_is_logged(
    serve: Serve, database: asyncpg.Connection, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    good, bad = token(claims(sub="4711")), token(key="y" * 64)
    async with serve(NOW, auth="required", jwt_secret=SECRET, scrape_token=SCRAPE_TOKEN) as client:
        for text in (good, bad, SCRAPE_TOKEN, "rubbish-token"):
            await client.get(f"{PREFIX}/summary?site_id=private-site&window_days=7", headers=bearer(text))
            await client.get(f"{PREFIX}/summary?target_object=private-site&page=x", headers=bearer(text))
            await client.get("/private-path/private-site", headers=bearer(text))
        output = capsysbinary.readouterr().out.decode()
    assert output.count('"event":"request"') == 12
    for secret in (*good.split("."), *bad.split("."), SCRAPE_TOKEN, "rubbish", SECRET, "private", "doc_sync"):
        assert secret not in output


FILTERS = {"site_id": "private-site", "target_object": "private object", "template_key": "private" * 20}
ASKED = ("/summary", "/trends", "/doc-sync/failures", "/workflow/failures")


async def _ask_all(client: httpx.AsyncClient) -> None:
    for path in ASKED:
        await client.get(PREFIX + path, params={**FILTERS, "window_days": "30"})


async def test_no_parameter_is_logged_while_the_database_is_away(
    serve: Serve, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(NOW, database_url=nowhere("postgresql"), statement_timeout_seconds=0.1) as client:
        await _ask_all(client)
    output = capsys.readouterr().out
    assert output.count("computation failed") >= 3
    assert "doc_sync_failures" in output
    assert "private" not in output
    assert "window_days=30" not in output


async def test_no_parameter_is_logged_of_what_strangers_leave_in_redis(
    serve: Serve, database: object, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(NOW) as client:
        await _ask_all(client)
    found = cast("list[bytes]", await redis.keys("parallel-ops:{-}:v1:*private*"))
    values = [await redis.get(key) for key in found]
    await redis.flushall()
    # Exchanged, the one half; the other half is held up.
    for number, (key, value) in enumerate(zip(found, values[1:] + values[:1], strict=True)):
        name, left = (key, value) if number % 2 else (key + b":lease", b"a stranger's")
        await redis.set(name, cast("bytes", left))
    async with serve(NOW, flush=False) as client:
        await _ask_all(client)
    output = capsys.readouterr().out
    for event in ("unreadable entry ignored", "lease without our expiry removed"):
        assert event in output
    assert "private" not in output
    assert "window_days=30" not in output


@pytest.fixture(scope="module")
async def instance(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    """A server process with a variable that nobody knows, for all tests of this file."""
    served = Instance(settings, tmp_path_factory.mktemp("served") / "log", PARALLEL_OPS_RATELIMIT="secret")
    served.start()
    await served.ready()
    yield served
    served.kill()


async def test_a_variable_that_is_not_known_is_named_at_the_start(instance: Instance) -> None:
    written = instance.log.read_text()
    (line,) = [json.loads(line) for line in written.splitlines() if "unknown variable" in line]
    assert (line["level"], line["variable"]) == ("warning", "PARALLEL_OPS_RATELIMIT")
    assert line["nearest"] == "PARALLEL_OPS_RATE_LIMIT"
    assert "secret" not in written


async def test_who_hangs_up_inside_a_body_is_one_line(instance: Instance, database: object) -> None:
    def told() -> list[dict[str, Any]]:
        """The lines, up to that of a request which came later."""
        written = instance.log.read_text().splitlines()
        return [line for line in map(json.loads, written) if line.get("route") != "/schema/openapi.json"]

    async def later_one_is_told() -> bool:
        async with httpx.AsyncClient() as client:
            await client.get(f"{instance.url}{PREFIX}/nothing")
        return any(line.get("route") == "unknown" for line in told())

    before = len(told())
    with socket.create_connection(("127.0.0.1", instance.port)) as caller:
        caller.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\ntoken=")
    await until(later_one_is_told)
    (line,) = [line for line in told()[before:] if line.get("route") != "unknown"]
    assert (line["event"], line["level"], line["route"], line["status"]) == (
        *("request", "info", "/sign-in", 499),
    )


async def test_a_slow_statement_is_logged_with_its_section(
    serve: Serve, database: object, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(NOW, slow_statement_seconds=0.000001) as client:
        await client.get(f"{PREFIX}/doc-sync/failures")
    slow = [line for line in capsys.readouterr().out.splitlines() if "slow statement" in line]
    assert len(slow) == 1
    assert "doc_sync_failures" in slow[0]


def test_the_standard_library_logs_the_same_way() -> None:
    configuration = logs.standard_library("json")
    formatter = configuration["formatters"]["ours"]
    assert formatter["processors"][-1](None, "info", {"event": "x"}) == '{"event":"x"}'
