"""A relay before a server, which falls silent or breaks connections, and counts what comes meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 1 << 16


class Relay:
    """Listens on a port of 127.0.0.1 and passes on what comes, both ways.

    Of what clients send, the next `breaks` pieces end their connection, as a restart would. While it is
    silent `asked` counts the pieces that clients send, and `waiting` the connections that wait for an answer.
    """

    def __init__(self, server_port: int) -> None:
        self.breaks = 0
        self.asked = 0
        self.port = 0
        self._server_port = server_port
        self._passes = asyncio.Event()
        self._passes.set()
        self._waiting: set[asyncio.StreamReader] = set()
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many connections have asked something in the silence and are still there."""
        return len(self._waiting)

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """Connections stay and new ones are taken, but nothing comes through before the end."""
        self._passes.clear()
        try:
            yield
        finally:
            self._waiting.clear()
            self._passes.set()

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    async def _accepted(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(client, to_client))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        pieces: asyncio.Queue[bytes] = asyncio.Queue()
        ways = [
            asyncio.create_task(self._pass_on(pieces, to_server)),
            asyncio.create_task(_copy(server, to_client)),
        ]
        try:
            with suppress(OSError):
                while chunk := await client.read(CHUNK):
                    if self.breaks:
                        self.breaks -= 1
                        break
                    if not self._passes.is_set():
                        self.asked += 1
                        self._waiting.add(client)
                    pieces.put_nowait(chunk)
        finally:
            self._waiting.discard(client)
            for way in ways:
                way.cancel()
            for writer in (to_client, to_server):
                writer.transport.abort()

    async def _pass_on(self, pieces: asyncio.Queue[bytes], to_server: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                piece = await pieces.get()
                await self._passes.wait()
                to_server.write(piece)
                await to_server.drain()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
