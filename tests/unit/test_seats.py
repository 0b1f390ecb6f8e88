"""A tenant's one connection."""

from typing import Any

import pytest

from service.sources.database import DatabaseLimits
from service.tenants.connections import Seat, TenantDatabase, Turns
from service.tenants.tenancy import Place


async def nobodys(_: bool) -> bool:
    return False


async def test_a_connection_that_could_not_be_closed_keeps_nobody_from_the_next_one() -> None:
    limits = DatabaseLimits(1, 1, max_queries=1)
    database: Any = TenantDatabase(
        Place("postgresql://reader@127.0.0.1:9/plm"), limits, lambda *_: None, Turns(1), nobodys
    )
    seat, engine = Seat(database), database._engine
    database._engine = None
    with pytest.raises(AttributeError):
        await seat.let_go()
    await seat.closed()
    database._engine = engine
    await seat.let_go()
