"""Several servers of which none answers: nothing is asked of them again and again."""

import asyncio
import socket

import pytest

from service.sources.database import DatabaseError, DatabaseLimits
from service.sources.replicas import NO_LAG, Server, Servers, State


class Counted(Server):
    """Counts how often it was asked what it is."""

    asked = 0

    async def state(self) -> State:
        self.asked += 1
        return await super().state()


async def test_who_waits_for_a_primary_that_hangs_waits_for_one_question_and_not_for_one_after_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.sources.replicas.CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes connections, and says nothing
        url = f"postgresql://reader@127.0.0.1:{mute.getsockname()[1]}/plm"
        server = Counted(url, DatabaseLimits(1, 1, max_queries=1))
        servers = Servers([server], NO_LAG)
        found = await asyncio.gather(*(servers.choose() for _ in range(10)), return_exceptions=True)
        assert {type(each) for each in found} == {DatabaseError}
        assert server.asked == 1
        with pytest.raises(DatabaseError):
            await servers.choose()
        assert server.asked == 2  # who comes later asks for itself
        await server.close()
