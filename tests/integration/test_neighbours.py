"""What tenants need, as instances tell one another."""

from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from service.shared_redis import SharedRedis
from service.tenants.neighbours import Neighbours, Told
from tests.support.clock import NOW

AT = NOW.timestamp()
ANY: dict[str, dict[str, Told]] = {"server": {}}
Instance = Callable[[], Neighbours]


@pytest.fixture
def instance(redis: Redis) -> Instance:
    """A new one, beside those that there are."""
    return lambda: Neighbours(SharedRedis(redis), NOW.timestamp)


async def test_who_was_asked_long_ago_leaves_the_word_to_who_knows_more(instance: Instance) -> None:
    asked, idle = instance(), instance()
    await idle.tell({"server": {"acme": Told(AT, 0.1, 0.1, tick=15)}})
    await asked.tell({"server": {"acme": Told(AT, 0.5, 0.4, tick=30)}})
    await idle.tell({"server": {"acme": Told(AT, 0.1, 0.1, tick=15)}})
    heard = instance()
    await heard.tell({"server": {"acme": Told(AT, 0.0, 0.0)}})
    for each in (idle, heard):
        assert (each.spending(ANY).needed, each.spending(ANY).taken) == (0.5, 0.4)


async def test_what_is_known_here_counts_before_anything_was_told(instance: Instance) -> None:
    one = instance()
    assert one.spending({"server": {"acme": Told(AT, 0.5, 0.4, tick=30)}}).needed == 0.5
    await one.tell({"server": {"acme": Told(AT, 0.0, 0.0)}})
    assert one.spending({"server": {"acme": Told(AT, 0.5, 0.4, tick=30)}}).needed == 0.5


async def test_of_several_servers_the_one_that_needs_most_is_held_to_its_share(instance: Instance) -> None:
    one = instance()
    beta = {"beta": Told(AT, 0.3, 0.1, tick=15), "gamma": Told(AT, 0.3, 0.1, tick=15)}
    await one.tell({"a": {"acme": Told(AT, 0.5, 0.4, tick=15)}, "b": beta})
    spending = one.spending({"a": {}, "b": {}})
    assert (spending.needed, spending.taken) == (0.6, 0.2)
