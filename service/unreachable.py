"""Why a server could not be used, and what to do about it: for `parallel-ops check`."""

import asyncio
from collections.abc import Sequence
from contextlib import closing, suppress

from msgspec import Struct
from parallel_ops_recorder.addresses import parse
from redis.exceptions import AuthenticationError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy import make_url

from service.addresses import database_place, redis_place
from service.certificates import refused
from service.shared_redis import TIMEOUT_SECONDS
from service.sources.database import CONNECT_SECONDS, NO_ANSWER, DatabaseError

READER_ROLE = "migrations_none/reader_role.sql"
_POSTGRES_PORT = 5432
_LONGEST_REPLY = 256

# By what PostgreSQL's driver calls the error, or says of it.
_REMEDIES = (
    ("InvalidPassword", "Check the password in PARALLEL_OPS_DATABASE_URL (or the file it is read from)."),
    (
        "InvalidAuthorization",
        f"Check the user in PARALLEL_OPS_DATABASE_URL ({READER_ROLE} creates the one that is meant), and "
        "that pg_hba.conf lets it in from this machine.",
    ),
    ("InvalidCatalogName", "Check the database's name, the last part of PARALLEL_OPS_DATABASE_URL."),
    (
        "TooManyConnections",
        "The server has no connection left: raise its limit, or lower PARALLEL_OPS_MAX_DATABASE_QUERIES.",
    ),
    ("gaierror", "Nobody knows this host name: check PARALLEL_OPS_DATABASE_URL, or the name service."),
    (
        "rejected SSL",
        "The server refused TLS, which sslmode asks for: switch it on there (ssl = on), or write "
        "?sslmode=prefer at the end of PARALLEL_OPS_DATABASE_URL, which does without where there is none.",
    ),
    (
        "root certificate",
        "For this sslmode, name the file with the certificate of who signed the server's, by &sslrootcert= "
        "in PARALLEL_OPS_DATABASE_URL or in PGSSLROOTCERT; or write ?sslmode=require, which "
        "encrypts, and does not look whose server it is.",
    ),
    (
        "",
        "Check host and port in PARALLEL_OPS_DATABASE_URL, that PostgreSQL runs there, and that no "
        "firewall and no pg_hba.conf keeps this machine out.",
    ),
)
_MUTE = (
    "Look whether {server} is what listens there, and not a proxy or pooler that waits for a server of its "
    "own; its log may say why it hangs."
)
_NO_REDIS = (
    "Check PARALLEL_OPS_REDIS_URL, and that Redis runs there. Without it every process "
    "computes for itself, and the overlay cache's figures are missing."
)
_NO_TLS = (
    "Write {without}:// in place of {scheme}:// in PARALLEL_OPS_REDIS_URL, or the port at which it speaks "
    "TLS (its tls-port)."
)


class Trouble(Struct, frozen=True):
    """What is wrong, and what to do."""

    message: str
    remedy: str


async def database_trouble(url: str, error: DatabaseError) -> Trouble:
    """Why PostgreSQL at that URL could not be used."""
    place, reason = database_place(url), str(error)
    if untrusted := refused("PostgreSQL", error):
        return Trouble(f"{place} cannot be used: {untrusted.message}", untrusted.remedy)
    if NO_ANSWER in reason and await _accepts(_database_hosts(url)):
        return _mute("PostgreSQL", place, CONNECT_SECONDS)
    remedy = next(remedy for name, remedy in _REMEDIES if name.lower() in reason.lower())
    return Trouble(f"{place} cannot be used: {reason}", remedy)


async def redis_trouble(url: str, error: Exception) -> Trouble:
    """Why Redis at that URL could not be used."""
    place, address = redis_place(url), parse(url)
    if untrusted := refused("Redis", error):
        return Trouble(f"{place} cannot be used: {untrusted.message}", untrusted.remedy)
    if isinstance(error, AuthenticationError):
        remedy = "Check the user and the password in PARALLEL_OPS_REDIS_URL (or the file it is read from)."
        return Trouble(f"{place} refuses us: {error}", remedy)
    if address.tls and await _answers_without_tls(*address.hosts[0]):
        scheme = url.partition("://")[0]
        remedy = _NO_TLS.format(scheme=scheme, without=scheme.replace("rediss", "redis", 1))
        return Trouble(f"{place} refused TLS, and answers without", remedy)
    if isinstance(error, RedisTimeoutError) and await _accepts(address.hosts):
        return _mute("Redis", place, TIMEOUT_SECONDS)
    return Trouble(f"{place} does not answer: {error}", _NO_REDIS)


def _mute(server: str, place: str, seconds: float) -> Trouble:
    message = f"{place} accepts the connection, but nothing answered within {seconds:g} s"
    return Trouble(message, _MUTE.format(server=server))


def _database_hosts(url: str) -> list[tuple[str, int]]:
    """The hosts of a URL, of which there may be several; a socket's folder is none."""
    parts = make_url(url)
    named = [f"{parts.host}:{parts.port or _POSTGRES_PORT}"] if parts.host else []
    split = [each.rpartition(":") for each in (*named, *parts.normalized_query.get("host", ()))]
    return [(host, int(port)) for host, _, port in split if host and port.isdigit()]


async def _accepts(hosts: Sequence[tuple[str, int]]) -> bool:
    """Whether one of them takes a connection."""
    for host, port in hosts:
        with suppress(OSError):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                return True
    return False


async def _answers_without_tls(host: str, port: int) -> bool:
    """Whether what is there answers to Redis' simplest command as it stands, be it with a refusal."""
    with suppress(OSError):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            with closing(writer):
                writer.write(b"PING\r\n")
                reply = await reader.read(_LONGEST_REPLY)
            return reply.startswith((b"+", b"-"))
    return False
