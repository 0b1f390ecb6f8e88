"""Several tenants in one demo: a database each, and a token for each."""

import secrets
import time
from collections.abc import Mapping, Sequence

import asyncpg
import jwt
from msgspec import Struct

from service.environment import PREFIX
from service.tenants.tenancy import TENANT

__all__ = ["DATABASES", "TENANT", "Access", "create_database", "guarded", "tenants_of"]

DATABASES = f"plm_{TENANT}"
NAMES = ("acme", "beta", "gamma", "delta", "epsilon")
# A demo lasts no longer.
TOKEN_SECONDS = 7 * 24 * 3600
HINT = "The demo has printed a token for each tenant where it was started."


class Access(Struct, frozen=True):
    """The variables that say who may ask, and a token of each tenant."""

    variables: Mapping[str, str]
    tokens: Mapping[str, str] = {}


def tenants_of(number: int) -> list[str]:
    """So many names."""
    return [NAMES[each] if each < len(NAMES) else f"tenant-{each + 1}" for each in range(number)]


def guarded(tenants: Sequence[str]) -> Access:
    """Only these tenants' tokens are good, which nobody else can make."""
    secret, until = secrets.token_hex(32), int(time.time()) + TOKEN_SECONDS
    variables = {"AUTH": "required", "JWT_SECRET": secret, "TENANTS": ",".join(tenants), "SIGN_IN_HINT": HINT}
    tokens = {
        each: jwt.encode({"sub": "7", "tenant_id": each, "exp": until}, secret, "HS256") for each in tenants
    }
    return Access({PREFIX + name: value for name, value in variables.items()}, tokens)


async def create_database(admin_url: str, name: str) -> None:
    """Create a database, unless it is there."""
    connection = await asyncpg.connect(admin_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
