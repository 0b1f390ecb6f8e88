"""Whether what answers at Redis' address is what that says: one server, a cluster's node, or a sentinel."""

import asyncio
from contextlib import suppress

import structlog
from msgspec import Struct
from parallel_ops_recorder.addresses import FORMS, Address, Host, Kind, parse
from redis.exceptions import RedisError

from service.redis_clients import connect_to

# By what the server calls its mode.
_KINDS: dict[str, Kind] = {"standalone": "server", "cluster": "cluster", "sentinel": "sentinel"}
_IS: dict[Kind, str] = {
    "server": "is one server, neither a cluster's node nor a sentinel",
    "cluster": "is a node of a cluster, which holds a part of the keys alone",
    "sentinel": "is a sentinel, which holds no keys and knows who does",
}
_NAMES: dict[Kind, str] = {
    "server": "the address",
    "cluster": "addresses of some nodes",
    "sentinel": "the addresses of all sentinels and the primary's name",
}

log = structlog.get_logger(__name__)


class Mistaken(Struct, frozen=True):
    """Something of another kind answers; what to write for it."""

    message: str
    remedy: str


async def mistaken(url: str) -> Mistaken | None:
    """What answers there in place of what the URL says; None if it is that, or nothing tells."""
    address = parse(url)
    for host in address.hosts:
        kind = await _kind_at(address, host)
        if kind is not None and kind != address.kind:
            form = FORMS[kind].replace("redis", "rediss", 1) if address.tls else FORMS[kind]
            return Mistaken(
                f"{host[0]}:{host[1]} {_IS[kind]}",
                f"Write {_NAMES[kind]} in PARALLEL_OPS_REDIS_URL, as in {form}; user and password stand "
                "before the first host, and an @.",
            )
    return None


async def warn_if_mistaken(url: str) -> None:
    """Say in the log what to write, where something of another kind answers."""
    found = await mistaken(url)
    if found is not None:
        log.warning("redis is not what its address says", error=found.message, remedy=found.remedy)


async def _kind_at(address: Address, host: Host) -> Kind | None:
    redis = connect_to(address, host)
    try:
        with suppress(RedisError, OSError):
            told = await redis.execute_command("HELLO")  # type: ignore[no-untyped-call]
            fields = told if isinstance(told, dict) else dict(zip(told[::2], told[1::2], strict=True))
            return _KINDS.get(fields.get(b"mode", b"").decode())
    finally:
        # Whoever ends us now does not end this: the connection would stay open.
        await asyncio.shield(redis.aclose())
    return None
