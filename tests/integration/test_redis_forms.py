"""A cluster and a primary by its sentinels do what one server does; an address of another kind is told."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog
from parallel_ops_recorder.keys import process_key
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from demo.process import free_port
from demo.servers import Valkey
from service.check import Line, inspect
from service.redis_clients import connect
from service.redis_kinds import warn_if_mistaken
from service.settings import Settings
from service.sources.overlay_cache import read_window
from tests.support.api import PREFIX
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.reads import know_all_days
from tests.support.recorders import Clock as RecorderClock
from tests.support.recorders import recording
from tests.support.statement_log import StatementLog
from tests.support.tokens import SECRET
from tests.support.valkey_sets import SLOTS, ValkeyCluster, ValkeySentinels
from tests.support.waiting import until

SUMMARY = f"{PREFIX}/summary?window_days=90"
A_KEY = process_key("any")


@pytest.fixture(scope="module")
def running_cluster(server_folder: Path) -> Generator[ValkeyCluster]:
    """Two primaries without replicas."""
    servers = ValkeyCluster(server_folder / "cluster", 2)
    servers.start()
    servers.be_patient()
    yield servers
    servers.kill()


@pytest.fixture(scope="module")
def running_sentinels(server_folder: Path) -> Generator[ValkeySentinels]:
    """A primary and the one sentinel that watches it."""
    servers = ValkeySentinels(server_folder / "sentinels")
    servers.start()
    servers.be_patient()
    yield servers
    servers.kill()


@pytest.fixture
def cluster(running_cluster: ValkeyCluster) -> ValkeyCluster:
    """That cluster, empty."""
    running_cluster.empty()
    return running_cluster


@pytest.fixture
def sentinels(running_sentinels: ValkeySentinels) -> ValkeySentinels:
    """That primary, empty, and its sentinel."""
    running_sentinels.empty()
    return running_sentinels


@pytest.fixture(params=["cluster", "sentinels"])
def servers(request: pytest.FixtureRequest) -> ValkeyCluster | ValkeySentinels:
    """One of them."""
    found: ValkeyCluster | ValkeySentinels = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def url(servers: ValkeyCluster | ValkeySentinels) -> str:
    """Its address."""
    return servers.url


async def test_instances_share_what_one_has_read(
    serve: Serve, database: object, url: str, statements: StatementLog
) -> None:
    async with serve(NOW, redis_url=url) as first, serve(NOW, redis_url=url) as second:
        await know_all_days(first)
        read = statements.tables()
        answers = [(await each.get(SUMMARY)).json() for each in (first, second)]
    assert answers[0] == answers[1]
    assert answers[0]["degraded"] == []
    assert statements.tables() == read


async def test_lookups_that_a_recorder_counts_are_shown(serve: Serve, database: object, url: str) -> None:
    with recording(url, RecorderClock(NOW)) as recorder:
        recorder.hit(3)
        recorder.miss()
        recorder.entries(7)
    assert recorder.dropped == 0
    async with serve(NOW, redis_url=url) as client:
        shown = (await client.get(SUMMARY)).json()["overlay_cache"]
    assert (shown["hits"], shown["requests"], shown["entries"], shown["max_entries"]) == (3, 4, 7, 1000)


async def test_callers_are_limited(serve: Serve, database: object, url: str) -> None:
    async with serve(NOW, redis_url=url, rate_limit="2/hour") as client:
        assert [(await client.get(SUMMARY)).status_code for _ in range(3)] == [200, 200, 429]


async def test_connections_that_servers_close_while_they_idle_harm_no_command(
    servers: ValkeyCluster | ValkeySentinels,
) -> None:
    redis = connect(servers.url)
    try:
        await redis.set(A_KEY, "1")
        closed = servers.ask(servers.owner(A_KEY), "CLIENT", "KILL", "TYPE", "normal")
        assert closed >= 1
        assert await redis.get(A_KEY) == b"1"
    finally:
        await redis.aclose()


async def test_a_slot_that_moves_is_followed(serve: Serve, database: object, cluster: ValkeyCluster) -> None:
    """While it moves, a command on several keys fails: what runs behind an answer then leaves Redis alone."""
    clock = Clock(NOW)
    with recording(cluster.url, RecorderClock(NOW)) as recorder:
        recorder.entries(5)
        recorder.hit()
    async with serve(clock, redis_url=cluster.url) as client:

        async def is_whole() -> bool:
            answer = (await client.get(SUMMARY)).json()
            is_away = answer["degraded"] == ["overlay_cache"]
            assert answer["overlay_cache"]["entries"] == (0 if is_away else 5)
            return not is_away

        for _ in range(3):  # there, back, and there again
            await know_all_days(client)
            owner = cluster.owner(A_KEY)
            await asyncio.to_thread(cluster.move, A_KEY)
            assert cluster.owner(A_KEY) is not owner
            clock.now += 600
            await until(is_whole)


async def test_a_slot_that_a_node_has_given_up_is_looked_for_elsewhere(
    cluster: ValkeyCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that the cluster is down until it hears who has the slot."""
    monkeypatch.setattr("service.redis_clients.CLUSTER_SECONDS", 60)
    redis = connect(cluster.url)
    try:
        assert await redis.get(A_KEY) is None
        await asyncio.to_thread(cluster.give_up, A_KEY)
        assert await redis.get(A_KEY) is None
    finally:
        await redis.aclose()


async def test_processes_are_looked_for_where_their_keys_are_by_now(cluster: ValkeyCluster) -> None:
    """SCAN names no key, so the node where they were does not send it on."""
    with recording(cluster.url, RecorderClock(NOW)) as recorder:
        recorder.entries(5)
    redis = connect(cluster.url)
    try:
        for _ in range(3):
            assert (await read_window(redis, NOW, 1)).entries == 5
            await asyncio.to_thread(cluster.move, A_KEY)
    finally:
        await redis.aclose()


async def test_nodes_that_all_have_new_addresses_are_found_by_the_configured_ones(
    server_folder: Path,
) -> None:
    one = ValkeyCluster(server_folder / "moving-cluster", 1)
    (server,) = one.servers
    later = free_port()
    redis: object = connect(f"redis+cluster://127.0.0.1:{server.port},127.0.0.1:{later}/?socket_timeout=30")
    assert isinstance(redis, RedisCluster)
    try:
        server.start()
        one.ask(server, "CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)
        await redis.initialize()
        server.kill()
        server.port = later
        server.start()
        with pytest.raises(RedisConnectionError):
            await redis.get(A_KEY)
        assert (await redis.initialize()).get_default_node().port == later
    finally:
        await redis.aclose()
        one.kill()


async def test_a_node_that_hangs_is_waited_for_once(cluster: ValkeyCluster) -> None:
    """By so short a timeout, which a busy machine may miss although nothing hangs."""
    redis = connect(f"{cluster.url}?socket_timeout=0.2")

    async def answers() -> bool:
        with suppress(RedisError):
            return await redis.get(A_KEY) is None
        return False

    try:
        await until(answers)
        owner = cluster.owner(A_KEY)
        # With what is connected already, and then with a look for the nodes; each time this client, too.
        for command, most in ((redis.get, 1), (redis.exists, 5)):
            before = _connections(cluster, owner)
            owner.pause()
            with pytest.raises((RedisTimeoutError, RedisConnectionError)):
                await command(A_KEY)
            owner.resume()
            assert _connections(cluster, owner) - before <= most
        await until(answers)
    finally:
        await redis.aclose()


def _connections(cluster: ValkeyCluster, node: Valkey) -> int:
    """How many a node has ever had."""
    return int(cluster.ask(node, "INFO", "stats")["total_connections_received"])


async def test_a_sentinel_that_hangs_delays_nobody(sentinels: ValkeySentinels) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        hangs = f"redis+sentinel://127.0.0.1:{mute.getsockname()[1]},"
        redis = connect(sentinels.url.replace("redis+sentinel://", hangs) + "?socket_timeout=300")
        assert await redis.set(A_KEY, "1")
        await redis.aclose()


async def problems(settings: Settings, url: str) -> list[Line]:
    """What `check` finds wrong with Redis' address."""
    given = {"DATABASE_URL": settings.database_url, "REDIS_URL": url, "JWT_SECRET": SECRET, "TENANTS": "*"}
    variables = {f"PARALLEL_OPS_{name}": value for name, value in given.items()}
    report = await asyncio.to_thread(inspect, variables)
    return [line for line in report.checks if line.status == "problem"]


async def test_both_forms_pass_the_check(settings: Settings, database: object, url: str) -> None:
    assert await problems(settings, url) == []


async def test_a_cluster_and_a_sentinel_under_a_plain_address_are_told(
    settings: Settings, database: object, cluster: ValkeyCluster, sentinels: ValkeySentinels
) -> None:
    told = {
        cluster.owner(A_KEY).port: ("is a node of a cluster", "redis+cluster://node1:6379,node2:6379/"),
        sentinels.sentinels[0].port: ("is a sentinel", "redis+sentinel://s1:26379,"),
    }
    for port, (message, remedy) in told.items():
        url = f"redis://127.0.0.1:{port}/0"
        (line,) = await problems(settings, url)
        assert (line.subject, f"127.0.0.1:{port} {message}" in line.message) == ("Redis", True)
        assert f"in PARALLEL_OPS_REDIS_URL, as in {remedy}" in str(line.remedy)
        with structlog.testing.capture_logs() as logs:
            await warn_if_mistaken(url)
        assert [(entry["error"], entry["remedy"]) for entry in logs] == [(line.message, line.remedy)]


async def test_a_look_that_is_ended_at_whatever_step_leaves_no_connection(valkey: Valkey) -> None:
    for steps in range(100):
        look = asyncio.create_task(warn_if_mistaken(valkey.url))
        for _ in range(steps):
            await asyncio.sleep(0)
        look.cancel()
        with suppress(asyncio.CancelledError):
            await look
    async with connect(valkey.url) as redis:

        async def are_closed() -> bool:
            # But for our own, and those of other clients of the test's.
            return (
                sum(client["cmd"] in {"hello", "client|setinfo"} for client in await redis.client_list()) == 0
            )

        await until(are_closed)


@pytest.mark.parametrize("form", ["redis+cluster://127.0.0.1:{}/", "redis+sentinel://127.0.0.1:{}/mymaster"])
async def test_one_server_under_another_address_is_told(
    settings: Settings, database: object, sentinels: ValkeySentinels, form: str
) -> None:
    (line,) = await problems(settings, form.format(sentinels.ports[0]))
    assert "is one server" in line.message
    assert "as in redis://cache:6379/0" in str(line.remedy)


async def test_a_plain_address_of_a_cluster_is_not_shown_as_well(
    serve: Serve, database: object, cluster: ValkeyCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """It answers, and has none of our keys."""
    other = next(port for port in cluster.ports if port != cluster.owner(A_KEY).port)
    async with serve(NOW, redis_url=f"redis://127.0.0.1:{other}/0") as client:
        assert (await client.get(SUMMARY)).json()["degraded"] == ["overlay_cache"]
        assert "parallel_ops_redis_up 0.0" in (await client.get("/metrics")).text
    log = capsys.readouterr().out
    assert "redis is not what its address says" in log
    assert "write redis+cluster://" in log
