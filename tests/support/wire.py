"""A relay between the service and PostgreSQL that counts the rows and bytes which come back."""

import asyncio
from contextlib import suppress

CHUNK = 1 << 16
DATA_ROW = b"D"


class RowCounter:
    """Listens on a port of 127.0.0.1; `rows` counts DataRow messages, `bytes` theirs, whatever client asks.

    The client must not ask for TLS: `?ssl=disable` in SQLAlchemy's address.
    """

    def __init__(self, server_port: int) -> None:
        self.rows = self.bytes = 0
        self.port = 0
        self._server_port = server_port
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "RowCounter":
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await asyncio.gather(_copy(client, to_server), self._copy_and_count(server, to_client))
        finally:
            to_client.close()
            to_server.close()

    async def _copy_and_count(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Message by message: a letter, a length that counts itself, and the rest."""
        while True:
            letter, length = await source.readexactly(1), await source.readexactly(4)
            rest = await source.readexactly(int.from_bytes(length) - len(length))
            if letter == DATA_ROW:
                self.rows += 1
                self.bytes += len(rest)
            target.write(letter + length + rest)
            await target.drain()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        target.write(chunk)
        await target.drain()
    target.close()
