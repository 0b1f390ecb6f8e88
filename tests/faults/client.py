"""A small HTTP/1.1 client on a kept-alive connection: what it costs is little, so the load can be many."""

import asyncio
import gzip
import time
from collections.abc import Mapping
from dataclasses import dataclass

HEAD_BYTES = 256 * 1024
NOT_ANSWERED = 30.0


class Broken(Exception):
    """The connection was refused, cut or silent: there was no answer."""


@dataclass(frozen=True)
class Answer:
    """What came back, and when, in Unix seconds. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: float
    received: float


class Client:
    """One connection at a time to one port of 127.0.0.1, opened again where it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, target: str, headers: Mapping[str, str]) -> Answer:
        """Ask once. Raises Broken. A kept connection that the server has closed meanwhile is replaced."""
        lines = [
            f"GET {target} HTTP/1.1",
            "Host: test",
            *(f"{key}: {value}" for key, value in headers.items()),
        ]
        request = "\r\n".join([*lines, "", ""]).encode()
        reused = self._streams is not None
        try:
            async with asyncio.timeout(NOT_ANSWERED):
                try:
                    return await self._exchange(request)
                except (OSError, EOFError) as error:
                    self.close()
                    if not reused or (isinstance(error, asyncio.IncompleteReadError) and error.partial):
                        raise
                    return await self._exchange(request)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            raise Broken(f"{type(error).__name__}: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=HEAD_BYTES)
        reader, writer = self._streams
        sent = time.time()
        writer.write(request)
        await writer.drain()
        status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
        body = await reader.readexactly(int(headers.get("content-length", "0")) if status != 304 else 0)
        received = time.time()
        if headers.get("connection") == "close":
            self.close()
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return Answer(status, headers, body, sent, received)


def _head(raw: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}
