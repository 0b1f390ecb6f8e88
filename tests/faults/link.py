"""A wire between one instance and one server, which can be cut, silent, slow or dripping."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from demo.process import free_port

CHUNK = 1 << 16


class Link:
    """Passes on what comes to a port of 127.0.0.1, in both directions."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._delay = 0.0
        self._piece = CHUNK

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Take no more connections, and break those that there are."""
        if self._server is not None:
            self._server.close()
        self._server = None
        for writer in self._writers:
            writer.transport.abort()
        if self._relays:
            await asyncio.wait(self._relays)

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Connections break, and new ones are refused."""
        await self.close()
        try:
            yield
        finally:
            await self.open()

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """Connections stay, new ones are taken, and nothing comes through until the end."""
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    @asynccontextmanager
    async def slow(self, seconds: float) -> AsyncIterator[None]:
        """Everything takes that much longer, each way."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @asynccontextmanager
    async def dripping(self, size: int, seconds: float) -> AsyncIterator[None]:
        """A few bytes come through at a time."""
        self._piece = size
        try:
            async with self.slow(seconds):
                yield
        finally:
            self._piece = CHUNK

    async def _accepted(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(client, to_client))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        writers = {to_client}
        self._writers.add(to_client)
        with suppress(OSError):
            server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            writers.add(to_server)
            self._writers.add(to_server)
            await asyncio.gather(self._copy(client, to_server), self._copy(server, to_client))
        for writer in writers:
            writer.transport.abort()
        self._writers -= writers

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass on until either side has had enough; the other then has had, too."""
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                for piece in self._pieces(chunk):
                    await asyncio.sleep(self._delay)
                    await self._passes.wait()
                    target.write(piece)
                    await target.drain()
        target.transport.abort() if target.is_closing() else target.close()

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        """In the size of now: what is on its way when a fault ends is not held back any longer."""
        sent = 0
        while sent < len(chunk):
            yield chunk[sent : sent + self._piece]
            sent += self._piece
