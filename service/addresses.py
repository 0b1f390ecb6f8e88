"""The addresses of servers: whether they are ones, and where they lead, without user and password.

What is wrong with one is never quoted, for it may be the password.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from parallel_ops_recorder.addresses import AddressError, parse
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service import redis_clients
from service.sources import database
from service.sources.database import UnknownDatabaseOption

REDIS_SCHEMES = tuple(
    f"{tls}{kind}://" for kind in ("", "+cluster", "+sentinel") for tls in ("redis", "rediss")
)
STRAY_AT = "has an @ too many: in the user's name and the password, write @ as %40, / as %2F and # as %23"


def check_database_url(url: str) -> None:
    """Raises ValueError. SQLAlchemy ends the password at the first @; the host would begin with its rest."""
    if url.count("@") > 1:
        raise ValueError(STRAY_AT)
    _check(url, database.address)


def check_redis_url(url: str) -> None:
    """Raises ValueError. Redis' client ends the password at the last @ before the first / or ? or #."""
    if not url.startswith(REDIS_SCHEMES):
        raise ValueError(f"must begin with {', '.join(REDIS_SCHEMES[:-1])} or {REDIS_SCHEMES[-1]}")
    parts = urlsplit(url)
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError(STRAY_AT)
    _check(url, redis_clients.check_url)


def _check(url: str, understand: Callable[[str], object]) -> None:
    try:
        understand(url)
    except (UnknownDatabaseOption, AddressError):
        raise
    except (ValueError, ArgumentError):
        raise ValueError("is not an address") from None


def database_place(url: str) -> str:
    """Where PostgreSQL is, and which database."""
    parts = make_url(url)
    several = ",".join(parts.normalized_query.get("host", ()))
    return _place(parts.host or several, parts.port, parts.database)


def redis_place(url: str) -> str:
    """Where Redis is, and which of its databases."""
    address = parse(url)
    return f"{address.place}/{address.database}" if address.kind == "server" else address.place


def _place(host: str | None, port: int | None, database: str | None) -> str:
    return f"{host or 'localhost'}{f':{port}' if port else ''}/{database or ''}"
