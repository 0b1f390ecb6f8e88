"""A client of Redis for each form of its address: one server, a cluster, the primary that sentinels know.

Whatever the form, a command takes no longer than it may, and what keeps it from an answer is a RedisError.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from parallel_ops_recorder.addresses import Address, AddressError, Host, parse
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ClusterDownError, ClusterError, RedisClusterException, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.shared_redis import MAX_CONNECTIONS, TIMEOUT_SECONDS

# For all that a command of a cluster may need: finding the nodes, being sent from one to another, once more.
CLUSTER_SECONDS = 1.5 * TIMEOUT_SECONDS
# For what is not asked in turn: leases are renewed and given back, whoever else waits.
SPARE_CONNECTIONS = 32
# Each connection would look up the library's version in files: some milliseconds in which nobody is answered.
_USUAL: dict[str, Any] = {
    "socket_timeout": TIMEOUT_SECONDS,
    "socket_connect_timeout": TIMEOUT_SECONDS,
    "driver_info": DriverInfo(),
}


def connect(url: str) -> Redis:
    """A client that gives up soon; a cluster's is used like any other. Nothing is connected yet.

    A connection that was closed meanwhile is replaced once. Raises ValueError for a URL that is none.
    """
    address = parse(url)
    return _CONNECT[address.kind](address)


def connect_to(address: Address, host: Host) -> Redis:
    """A client of one host of an address: of a sentinel, where they are sentinels'."""
    if address.kind == "server":
        return _server(address)
    options = address.of_sentinels if address.kind == "sentinel" else dict(address.options)
    return Redis(host=host[0], port=host[1], ssl=address.tls, retry=_retry(0), **(_USUAL | options))


def check_url(url: str) -> None:
    """Raises AddressError for an option that there is not, ValueError for other nonsense."""
    try:
        client = connect(url)
        if isinstance(client, Redis):
            client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    except TypeError as error:
        name = str(error).rpartition(" argument ")[2]
        raise AddressError(f"has an option that is not known: {name}") from None


async def owner_of(redis: Redis | RedisCluster, key: str) -> dict[str, Any]:
    """The option that sends a command to where that key is: for those that name none."""
    if not isinstance(redis, RedisCluster):
        return {}
    await redis.initialize()
    return {"target_nodes": redis.get_node_from_key(key)}


def _server(address: Address) -> Redis:
    pool = BlockingConnectionPool.from_url(
        address.url, max_connections=MAX_CONNECTIONS, timeout=TIMEOUT_SECONDS, retry=_retry(1), **_USUAL
    )
    return Redis.from_pool(pool)


def _cluster(address: Address) -> Redis:
    client = _Cluster(
        startup_nodes=[ClusterNode(*host) for host in address.hosts],
        ssl=address.tls,
        retry=_retry(1),
        max_connections=MAX_CONNECTIONS + SPARE_CONNECTIONS,
        # MOVED tells where a slot is. To look for all nodes at each would break the connections of others.
        reinitialize_steps=0,
        **(_USUAL | address.options),
    )
    return cast("Redis", client)


def _by_sentinels(address: Address) -> Redis:
    asking = {"ssl": address.tls, "retry": _retry(0), **_USUAL, **address.of_sentinels}
    pool = _SentinelPool(  # type: ignore[no-untyped-call]
        address.primary,
        _Sentinels(address.hosts, sentinel_kwargs=asking),  # type: ignore[no-untyped-call]
        ssl=address.tls,
        max_connections=MAX_CONNECTIONS + SPARE_CONNECTIONS,
        retry=_retry(1),
        **(_USUAL | address.options),
    )
    return Redis.from_pool(pool)


_CONNECT: Mapping[str, Callable[[Address], Redis]] = {
    "server": _server,
    "cluster": _cluster,
    "sentinel": _by_sentinels,
}


def _retry(times: int) -> Retry:
    return Retry(NoBackoff(), times, supported_errors=(RedisConnectionError,))


@asynccontextmanager
async def _bounded() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(CLUSTER_SECONDS):
            yield
    except TimeoutError:
        raise RedisTimeoutError(f"no answer within {CLUSTER_SECONDS:g} s") from None
    except RedisClusterException as error:  # which is no RedisError
        if isinstance(cause := error.__cause__, RedisError):
            raise cause from cause.__context__  # why, which raising it here would hide
        raise RedisConnectionError(str(error)) from error


class _Cluster(RedisCluster):
    """A client of a cluster whose commands take no longer than they may, wherever it is by now."""

    # Without the timeout: one that hangs is waited for once.
    ERRORS_ALLOW_RETRY = (RedisConnectionError, ClusterDownError)  # type: ignore[assignment]

    async def initialize(self, *args: Any, **options: Any) -> "_Cluster":  # noqa: ANN401
        """Find the nodes. When nobody answers who was known, those that were configured are asked again."""
        try:
            async with _bounded():
                await super().initialize(*args, **options)
        finally:
            if self._initialize:
                self.nodes_manager.startup_nodes |= {node.name: node for node in self.startup_nodes}
        return self

    async def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Any command's answer."""
        async with _bounded():
            return await super().execute_command(*args, **options)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> "_Pipeline":  # noqa: ANN401, ARG002
        """Commands that are sent together."""
        return _Pipeline(self, transaction)  # type: ignore[abstract]

    async def aclose(self) -> None:
        """Close all connections, also while the nodes are being looked for."""
        await super().aclose()
        for nodes in ("nodes_cache", "startup_nodes"):
            await self.nodes_manager.aclose(nodes)


class _Pipeline(ClusterPipeline):
    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        """The answers; what is none, for the server is away, is raised in any case."""
        async with _bounded():
            answers = await super().execute(raise_on_error, allow_redirections)
        for answer in answers:
            if isinstance(answer, (RedisConnectionError, RedisTimeoutError, ClusterError)):
                raise answer
        return answers


class _Sentinels(Sentinel):
    """Asks all sentinels at once, so that one that hangs delays nobody."""

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Where the primary of that name is, by the first who knows it. Raises RedisError."""
        asked = [asyncio.create_task(self._told_by(each, service_name)) for each in self.sentinels]
        failures = []
        try:
            for answer in asyncio.as_completed(asked, timeout=TIMEOUT_SECONDS):
                try:
                    return await answer
                except RedisError as error:
                    failures.append(error)
        except TimeoutError:
            raise RedisTimeoutError(f"no sentinel answers within {TIMEOUT_SECONDS:g} s") from None
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        raise MasterNotFoundError("; ".join(dict.fromkeys(map(str, failures)))) from failures[-1]

    async def _told_by(self, sentinel: Redis, name: str) -> tuple[str, int]:
        state = cast("dict[str, Any]", await sentinel.sentinel_masters()).get(name)
        if state is None:
            raise MasterNotFoundError(f"a sentinel knows no {name}")
        if not self.check_master_state(state, name):
            raise MasterNotFoundError(f"a sentinel takes {name} for away")
        return state["ip"], state["port"]


class _SentinelPool(SentinelConnectionPool):
    async def aclose(self) -> None:
        """Close the connections to the primary and to its sentinels."""
        await super().aclose()
        await self.sentinel_manager.aclose()
