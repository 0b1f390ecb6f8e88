"""nginx as it is deployed, before three instances."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from demo.process import free_port
from service.settings import Settings
from tests.support.addresses import nowhere
from tests.support.api import PREFIX
from tests.support.balancer import CONFIGURATION, MARKING, Balancer, balanced, command, configure
from tests.support.children import run_program
from tests.support.instances import Instance
from tests.support.waiting import until

ROOT = CONFIGURATION.parent.parent
UNAVAILABLE = "parallel_ops_unavailable"


def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    configure(tmp_path, [8001, 8002, 8003], free_port())
    tested = run_program(command(tmp_path, "-t"), capture_output=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr


def test_the_instances_are_marked_here_as_where_they_are_deployed() -> None:
    servers = [
        line for line in (CONFIGURATION / "instances.conf").read_text().splitlines() if "server " in line
    ]
    assert len(servers) == 3
    assert all(line.endswith(f"{MARKING};") for line in servers)


async def test_all_instances_answer_and_say_the_same(
    client: httpx.AsyncClient, instances: list[Instance]
) -> None:
    answers = [
        await client.get(f"{PREFIX}/summary", headers={"X-Request-ID": f"caller-{n}"}) for n in range(9)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.headers["x-request-id"] for answer in answers] == [f"caller-{n}" for n in range(9)]
    counted = [await _requests(instance) for instance in instances]
    assert sum(counted) == 9
    assert all(counted)


async def test_one_id_is_in_the_answer_and_in_both_logs(
    client: httpx.AsyncClient, balancer: Balancer, instances: list[Instance]
) -> None:
    answers = [
        await client.get(f"{PREFIX}/summary", headers=given)
        for given in ({}, {"X-Request-ID": "sane-1"}, {"X-Request-ID": "no id {}"})
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 3
    assert ids[1] == "sane-1"
    assert ids[2] != "no id {}"
    # Both write their line when the answer is out.
    await until(lambda: [line["request_id"] for line in _access_log(balancer)] == ids, 5)
    await until(lambda: all(f'"request_id":"{given}"' in _said_by(instances) for given in ids), 5)


async def test_no_log_of_nginx_holds_a_parameter_whatever_goes_wrong() -> None:
    """With nobody to ask it has an error to tell of each request, and tells it in the access log."""
    with balanced([free_port(), free_port()]) as balancer:
        async with httpx.AsyncClient(base_url=balancer.url) as caller:
            for path in ("/?site_id=private-site", f"{PREFIX}/summary?site_id=private-site"):
                assert (await caller.get(path)).status_code == 503
            large = await caller.post("/sign-in?next=private-site", content=b"x" * 100_000)
        assert large.status_code == 413
        # The last line comes when nginx has read what it refused.
        await until(lambda: [line["status"] for line in _access_log(balancer)] == ["503", "503", "413"], 5)
        assert "private" not in balancer.log.read_text()


async def test_connections_to_the_instances_are_kept(
    client: httpx.AsyncClient, balancer: Balancer, instances: list[Instance]
) -> None:
    for _ in range(30):
        await client.get(f"{PREFIX}/alerts")
    ports = {instance.port for instance in instances}
    open_now = [
        connection.raddr.port
        for process in balancer.family()
        for connection in process.net_connections("tcp4")
        if connection.status == psutil.CONN_ESTABLISHED and connection.raddr.port in ports
    ]
    assert set(open_now) == ports
    # A worker of nginx keeps its own, but none opens one for each request.
    assert len(open_now) <= len(ports) * len(balancer.family())


async def test_own_metrics_are_for_inside() -> None:
    spellings = (
        "/metrics",
        "/metrics/",
        "//metrics",
        "/%6Detrics",
        "/x/../metrics",
        "/%2Fmetrics",
        "/metrics?a=b",
    )
    with balanced([free_port()]) as alone:  # whatever is passed on gets a 503
        for path in spellings:
            asked = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            status, body = await _raw(alone.port, asked)
            assert (path, status, body["detail"]["code"]) == (path, 404, "parallel_ops_not_found")


async def test_the_runbook_is_there(client: httpx.AsyncClient) -> None:
    answer = await client.get("/runbook")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "ParallelOpsDown" in answer.text


async def test_business_metrics_are_for_the_outside(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{PREFIX}/metrics")).status_code == 200


async def test_with_no_instance_there_the_answer_is_a_503_in_the_apis_shape() -> None:
    with balanced([free_port() for _ in range(3)]) as alone:
        async with httpx.AsyncClient(base_url=alone.url) as caller:
            for _ in range(5):
                answer = await caller.get(f"{PREFIX}/summary", headers={"X-Request-ID": "caller-1"})
                assert (answer.status_code, answer.json()["detail"]["code"]) == (503, UNAVAILABLE)
                assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("2", "no-store")
                assert answer.headers["content-type"] == "application/json"
                assert answer.headers["x-request-id"] == "caller-1"


@pytest.mark.parametrize(
    ("request_text", "status", "code"),
    [
        ("GARBAGE\r\n\r\n", 400, "parallel_ops_invalid_request"),
        ("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "parallel_ops_method_not_allowed"),
        (f"GET /{'x' * 40_000} HTTP/1.1\r\nHost: x\r\n\r\n", 414, "parallel_ops_uri_too_long"),
        (f"GET / HTTP/1.1\r\nHost: x\r\nX: {'x' * 40_000}\r\n\r\n", 431, "parallel_ops_headers_too_large"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413, "parallel_ops_body_too_large"),
    ],
    ids=["no HTTP", "TRACE", "URL", "headers", "body"],
)
async def test_what_nginx_refuses_has_the_apis_shape(request_text: str, status: int, code: str) -> None:
    with balanced([free_port()]) as alone:
        found, body = await _raw(alone.port, request_text)
    assert (found, body["detail"]["code"], body["detail"]["context"]) == (status, code, {})


async def test_an_instance_that_cannot_answer_is_passed_over_but_not_taken_for_dead(
    settings: Settings, instances: list[Instance], tmp_path: Path
) -> None:
    blind = Instance(_without_servers(settings), tmp_path / "blind.log")
    blind.start()
    try:
        await blind.ready()
        with balanced([blind.port, instances[0].port]) as some:
            async with httpx.AsyncClient(base_url=some.url, timeout=30) as caller:
                answers = [await caller.get(f"{PREFIX}/summary") for _ in range(10)]
            await until(lambda: len(_access_log(some)) == 10, 5)
            asked = [line["instances"] for line in _access_log(some)]
        assert {answer.status_code for answer in answers} == {200}
        assert sum(f":{blind.port}" in instance for instance in asked) >= 4
    finally:
        blind.kill()


async def test_a_killed_instance_costs_nobody_an_answer(
    client: httpx.AsyncClient, instances: list[Instance]
) -> None:
    await client.get(f"{PREFIX}/summary")
    instances[0].signal(signal.SIGKILL)
    answers = await asyncio.gather(*(client.get(f"{PREFIX}/summary") for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_frozen_instance_costs_nobody_an_answer(
    client: httpx.AsyncClient, instances: list[Instance], balancer: Balancer
) -> None:
    await client.get(f"{PREFIX}/summary")
    instances[0].pause()
    try:
        answers = await asyncio.gather(*(client.get(f"{PREFIX}/summary") for _ in range(12)))
    finally:
        instances[0].resume()
    assert {answer.status_code for answer in answers} == {200}
    # Those that it was given waited, and were then given to another.
    await until(lambda: len(_access_log(balancer)) == 13, 5)
    waited = [line for line in _access_log(balancer) if f":{instances[0].port}, " in line["instances"]]
    assert 1 <= len(waited) <= 6


async def test_what_was_sent_once_is_not_sent_again_unless_it_is_a_question() -> None:
    received: list[bytes] = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append((await reader.readuntil(b"\r\n\r\n")).split()[0])
        writer.close()

    servers = [await asyncio.start_server(break_off, "127.0.0.1", 0) for _ in range(2)]
    try:
        with balanced([server.sockets[0].getsockname()[1] for server in servers]) as some:
            async with httpx.AsyncClient(base_url=some.url) as caller:
                posted = await caller.post("/sign-in", content=b"token=x")
                assert (posted.status_code, received) == (503, [b"POST"])
                await until(lambda: _asked_of_both(caller, received))
    finally:
        for server in servers:
            server.close()


async def test_a_service_that_comes_back_is_found_again(
    client: httpx.AsyncClient, instances: list[Instance]
) -> None:
    for instance in instances:
        instance.kill()
    assert (await client.get(f"{PREFIX}/summary")).status_code == 503
    instances[0].start()
    await instances[0].ready()

    async def answered() -> bool:
        return (await client.get(f"{PREFIX}/summary")).status_code == 200

    await until(answered, 5)


def _said_by(instances: list[Instance]) -> str:
    return "".join(instance.log.read_text() for instance in instances)


async def _asked_of_both(caller: httpx.AsyncClient, received: list[bytes]) -> bool:
    """Whether a GET reaches both instances, which it does once neither is marked for its last failure."""
    received.clear()
    assert (await caller.get("/")).status_code == 503
    return received == [b"GET", b"GET"]


async def _requests(instance: Instance) -> float:
    """How many summaries an instance says it has answered."""
    async with httpx.AsyncClient() as direct:
        text = (await direct.get(f"{instance.url}/metrics")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "parallel_ops_requests_total" and sample.labels["route"] == f"{PREFIX}/summary"
    )


async def _raw(port: int, request: str) -> tuple[int, Any]:
    """Status and body of what comes back to bytes that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.decode().split("\r\n") if line.lower().startswith("content-length"))
    body = await reader.readexactly(int(length.partition(":")[2]))
    writer.close()
    return int(head.split()[1]), json.loads(body)


def _access_log(balancer: Balancer) -> list[dict[str, str]]:
    lines = balancer.log.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


def _without_servers(settings: Settings) -> Settings:
    return replace(settings, database_url=nowhere("postgresql"), redis_url=nowhere("redis"))
