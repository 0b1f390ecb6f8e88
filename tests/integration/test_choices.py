"""What the board suggests for its filters where there is more than a list may hold."""

import asyncpg
import httpx

from tests.support.builders import Database, insert, job, run, template
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.html import page_of
from tests.support.waiting import until

MOST = 200
# The rare ones come first by name, and there are more of both than a list may hold.
RARE, FREQUENT = ([f"{kind}-{number:03}" for number in range(150)] for kind in ("a-rare", "b-frequent"))
SHOWN = [*RARE[: MOST - len(FREQUENT)], *FREQUENT]


async def test_the_most_frequent_values_are_suggested_where_there_are_too_many(
    database: asyncpg.Connection, serve: Serve
) -> None:
    values = RARE + 2 * FREQUENT
    rows = Database(
        jobs=[job(payload={"site_id": value}, created_at=NOW) for value in values],
        runs=[run(target_object=value, created_at=NOW) for value in values],
        plans=[template(value) for value in values],
    )
    await insert(database, rows)
    async with serve(NOW) as client:
        await until(lambda: _suggests(client))
        page = page_of((await client.get("/")).text)
    for name in ("site_id", "target_object", "template_key"):
        options = page.one("datalist", id=f"{name}-choices").all("option")
        assert [option["value"] for option in options] == SHOWN


async def _suggests(client: httpx.AsyncClient) -> bool:
    page = page_of((await client.get("/")).text)
    return any(page.one("datalist", id="site_id-choices").all("option"))
