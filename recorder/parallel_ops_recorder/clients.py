"""A client for whatever an address means."""

from typing import Any, cast

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from redis.sentinel import Sentinel

from parallel_ops_recorder.addresses import Address, parse


def checked(url: str) -> Address:
    """The address that a URL means. Raises ValueError for one that no client can be made of."""
    address = parse(url)
    if address.kind == "server":
        Redis.from_url(url)
    return address


def connect(address: Address, seconds: float) -> Redis:
    """A client that waits for a reply that many seconds at most; a cluster's is used like any other.

    That of a cluster looks for its nodes now, and raises what keeps it from that; others connect when first
    used. One more attempt on a fresh connection heals a restart unseen; what is sent may be sent twice.
    """
    again = Retry(NoBackoff(), 1, (RedisConnectionError,))
    timeouts: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    if address.kind == "server":
        return Redis.from_url(address.url, **timeouts, retry=again)
    if address.tls:
        timeouts["ssl"] = True
    if address.kind == "cluster":
        nodes = [ClusterNode(*host) for host in address.hosts]  # type: ignore[no-untyped-call]
        return cast("Redis", RedisCluster(startup_nodes=nodes, retry=again, **(timeouts | address.options)))
    asking = {"retry": Retry(NoBackoff(), 0), **timeouts, **address.of_sentinels}
    sentinels: Any = Sentinel(address.hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    primary: Redis = sentinels.master_for(address.primary, retry=again, **(timeouts | address.options))
    return primary
