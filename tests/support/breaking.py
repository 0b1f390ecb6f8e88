"""A relay before a server that breaks connections in the middle of a command, as a restart does."""

import asyncio
from contextlib import suppress

CHUNK = 1 << 16


class Breaking:
    """Listens on a port of 127.0.0.1; of what clients send, the next `breaks` pieces end their connection."""

    def __init__(self, server_port: int) -> None:
        self.breaks = 0
        self.port = 0
        self._server_port = server_port
        self._relays: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Breaking":
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
        answers = asyncio.create_task(_copy(server, to_client))
        try:
            with suppress(OSError):
                while chunk := await client.read(CHUNK):
                    if self.breaks:
                        self.breaks -= 1
                        break
                    to_server.write(chunk)
                    await to_server.drain()
        finally:
            answers.cancel()
            to_client.transport.abort()
            to_server.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
