"""What changes in the database: new rows show it at the next tick, old ones within a bound."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import Clock
from tests.support.fixtures import Serve
from tests.support.moving_answers import Question, ask_now
from tests.support.reads import know_all_days

# Midnight comes four ticks later.
NOW = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)
DAY = timedelta(days=1)
REFRESH, OLD_DAYS = 15, 60
TINY, PLENTY = 1e-6, 64.0
SETTINGS: dict[str, Any] = {"old_days_seconds": OLD_DAYS, "stale_seconds": 1e-3}
TABLES = {
    "doc_sync": "meta_conversion_jobs",
    "workflow_actions": "meta_workflow_custom_action_runs",
    "breakages": "meta_breakage_incidents",
}
BEFORE = {"open": 90}
CHANGES = {
    "UPDATE {} SET status = 'closed' WHERE id = 'it'": {"closed": 1, "open": 89},
    "DELETE FROM {} WHERE id = 'it'": {"open": 89},
}
YESTERDAY = NOW.replace(hour=0, minute=0) - DAY
# The oldest of a window of ninety days when the last tick has come, and others.
OLD = [NOW - 90 * DAY + timedelta(minutes=2), NOW - 40 * DAY, YESTERDAY - timedelta(microseconds=1)]
NEW = [YESTERDAY, NOW - DAY, NOW, NOW + 9 * DAY]

Statuses = dict[str, dict[str, int]]


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("at", OLD)
async def test_a_change_of_an_old_row_shows_no_later_than_old_days_and_a_tick(
    database: asyncpg.Connection, serve: Serve, change: str, at: datetime
) -> None:
    clock = Clock(NOW)
    await insert(database, rows(at))
    async with serve(clock, database_share=TINY, **SETTINGS) as client:
        await know_all_days(client)  # nothing that is read behind the first answer shows the change
        assert await statuses(client, clock, [0]) == [dict.fromkeys(TABLES, BEFORE)]
        await change_all(database, change)
        seen = await statuses(client, clock, [REFRESH] * (OLD_DAYS // REFRESH + 1))
    for section in TABLES:
        shown = [[BEFORE, CHANGES[change]].index(each[section]) for each in seen]
        assert shown == sorted(shown)
        assert shown[-1]


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("change", CHANGES)
async def test_it_does_when_nobody_asked_meanwhile(
    database: asyncpg.Connection, serve: Serve, change: str
) -> None:
    clock = Clock(NOW)
    await insert(database, rows(OLD[1]))
    async with serve(clock, database_share=TINY, **SETTINGS) as client:
        await know_all_days(client)
        await change_all(database, change)
        assert await statuses(client, clock, [OLD_DAYS + REFRESH]) == [dict.fromkeys(TABLES, CHANGES[change])]


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("at", "share"), [*((at, TINY) for at in NEW), *((at, PLENTY) for at in OLD)])
async def test_a_change_of_a_new_row_shows_at_the_next_tick_and_of_any_where_the_share_is_large(
    database: asyncpg.Connection, serve: Serve, change: str, at: datetime, share: float
) -> None:
    clock = Clock(NOW)
    await insert(database, rows(at))
    async with serve(clock, database_share=share, **SETTINGS) as client:
        await statuses(client, clock, [0, REFRESH])
        await change_all(database, change)
        assert await statuses(client, clock, [REFRESH]) == [dict.fromkeys(TABLES, CHANGES[change])]


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("at", NEW)
async def test_a_new_row_shows_at_the_next_tick(
    database: asyncpg.Connection, serve: Serve, at: datetime
) -> None:
    clock = Clock(NOW)
    async with serve(clock, database_share=TINY, **SETTINGS) as client:
        await statuses(client, clock, [0, REFRESH])
        await insert(database, rows(at))
        assert await statuses(client, clock, [REFRESH]) == [dict.fromkeys(TABLES, BEFORE)]


def rows(at: datetime) -> Database:
    """One row of each kind at that time, which is the one that changes, and others that stay as they are."""
    minutes = [YESTERDAY + number * timedelta(minutes=1) for number in range(89)]
    kinds = [
        [
            make(id="it", status="open", created_at=at),
            *(make(status="open", created_at=each) for each in minutes),
        ]
        for make in (job, run, incident)
    ]
    return Database(*kinds)


async def change_all(database: asyncpg.Connection, change: str) -> None:
    """Change that row of each table."""
    for table in TABLES.values():
        await database.execute(change.format(table))


async def statuses(client: httpx.AsyncClient, clock: Clock, pauses: Iterable[float]) -> list[Statuses]:
    """The statuses of all rows after each of the pauses."""
    seen = []
    for seconds in pauses:
        clock.now += seconds
        (answer,) = await ask_now(client, clock, [Question("/summary", 90)])
        seen.append({section: answer[section]["by_status"] for section in TABLES})
    return seen
