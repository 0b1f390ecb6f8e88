"""Raw connections, as many as are wanted, for callers who do not behave."""

import asyncio
import resource
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

# A closed connection is forgotten at once, or the machine would run out of ports.
AT_ONCE = struct.pack("ii", 1, 0)
BATCH = 250
SPARE_DESCRIPTORS = 1000


@asynccontextmanager
async def connections(port: int, count: int, seconds: float = 1.0) -> AsyncIterator[list[socket.socket]]:
    """Up to `count` connections to a port of 127.0.0.1; those that are not taken in time are left out."""
    _allow_descriptors(count + SPARE_DESCRIPTORS)
    sockets = [_socket() for _ in range(count)]
    try:
        taken: list[socket.socket] = []
        for first in range(0, count, BATCH):
            batch = sockets[first : first + BATCH]
            results = await asyncio.gather(*(_connect(one, port, seconds) for one in batch))
            taken += [one for one, connected in zip(batch, results, strict=True) if connected]
        yield taken
    finally:
        for one in sockets:
            one.close()


async def send(one: socket.socket, data: bytes) -> None:
    """Send what the other side is willing to take."""
    with suppress(OSError):
        await asyncio.get_running_loop().sock_sendall(one, data)


async def received(one: socket.socket, seconds: float) -> bytes:
    """Everything until the other side hangs up. Raises TimeoutError when it does not."""
    answer = b""
    async with asyncio.timeout(seconds):
        with suppress(ConnectionError):
            while chunk := await asyncio.get_running_loop().sock_recv(one, 1 << 16):
                answer += chunk
    return answer


def _socket() -> socket.socket:
    one = socket.socket()
    one.setblocking(False)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    return one


async def _connect(one: socket.socket, port: int, seconds: float) -> bool:
    with suppress(OSError):
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
            return True
    return False


def _allow_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"this machine allows {hard} open files, and {count} are needed")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
