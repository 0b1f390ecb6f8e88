"""The forms of a database's address that docs/operations.md promises."""

import pytest

from demo.process import free_port
from demo.run import READER
from demo.servers import Postgres
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.waiting import probed

ALIVE = "127.0.0.1:{alive}"
DEAD = "127.0.0.1:{dead}"


@pytest.mark.parametrize(
    "form",
    [
        f"{ALIVE}/postgres?sslmode=disable",
        f"{ALIVE}/postgres?ssl=prefer",
        f"/postgres?host={DEAD}&host={ALIVE}",
        f"/postgres?host={ALIVE}&host={DEAD}",
        f"/postgres?host={DEAD}&host={ALIVE}&target_session_attrs=prefer-standby",
        f"/postgres?host={ALIVE}&host={DEAD}&target_session_attrs=primary",
    ],
)
async def test_the_database_is_found(serve: Serve, database: object, postgres: Postgres, form: str) -> None:
    url = f"postgresql://{READER}@{form.format(alive=postgres.port, dead=free_port())}"
    async with serve(NOW, database_url=url) as client:
        await probed(client)
        assert (await client.get(f"{PREFIX}/doc-sync/failures")).status_code == 200


async def test_a_primary_is_not_taken_where_a_standby_is_asked_for(
    serve: Serve, database: object, postgres: Postgres
) -> None:
    url = f"postgresql://{READER}@/postgres?host=127.0.0.1:{postgres.port}&target_session_attrs=standby"
    async with serve(NOW, database_url=url) as client:
        await probed(client, 503)
