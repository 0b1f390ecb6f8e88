"""Granian as the server: its limits, and a shutdown that loses no request.

Told to end, the service first says that it is not ready and goes on answering for a moment, so that
balancers look elsewhere. Then it takes no new connection, finishes what it has begun, and ends;
what has not ended by then is killed. A second signal shortens the moment.
"""

import os
import socket
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import Server
from msgspec import Struct

from service.draining import SIGN_VARIABLE
from service.logs import LogFormat, standard_library

# Connections that the kernel holds for us, and those that a worker serves at once; more wait.
BACKLOG = 1024
CONNECTIONS_PER_WORKER = 1024
# What a request's line and headers may take together; Granian answers 431 to more. The API itself
# refuses much shorter URLs and tokens, and says why.
HEAD_BYTES = 128 * 1024
HEAD_MILLISECONDS = 10_000
ADDRESSES = "127.0.0.1, 0.0.0.0 or ::"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - for a folder with a name of its own
APPLICATION = "service.app:application"


class CannotListen(Exception):
    """The address is somebody else's, or not this machine's; the message says what to do."""


class Serving(Struct, frozen=True):
    """Where and how to serve.

    drain_seconds: how long to be not ready, and still answer, before the end begins.
    shutdown_seconds: how long requests may take from then on before they are cut off.
    """

    host: str
    port: int
    workers: int = 1
    drain_seconds: float = 0.0
    shutdown_seconds: int = 20
    log_format: LogFormat = "json"


def serve(serving: Serving, application: str = APPLICATION) -> None:
    """Serve until SIGTERM or SIGINT; each worker builds the application from the environment.

    `application` names a factory of an ASGI application, as module:function.
    """
    with TemporaryDirectory(prefix="parallel-ops-", dir=_runtime(), ignore_cleanup_errors=True) as folder:
        # Where workers share their metrics; the client library wants it named before it is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        sign = Path(folder) / "draining"
        os.environ[SIGN_VARIABLE] = str(sign)
        _Server(
            application,
            sign,
            serving.drain_seconds,
            factory=True,
            address=serving.host,
            port=serving.port,
            workers=serving.workers,
            interface=Interfaces.ASGI,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS, max_buffer_size=HEAD_BYTES),
            backlog=BACKLOG,
            backpressure=CONNECTIONS_PER_WORKER,
            websockets=False,
            log_access=False,
            log_dictconfig=standard_library(serving.log_format),
            respawn_failed_workers=True,
            workers_kill_timeout=serving.shutdown_seconds,
        ).serve()


def refuse_taken(host: str, port: int) -> None:
    """Raise CannotListen unless nobody listens there. Our own workers share a port, and any others could."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with socket.socket(found[0][0]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[0][4])
    except OSError as error:
        advice = f"choose another --port, or an address of this machine for --host ({ADDRESSES})"
        raise CannotListen(f"cannot listen on {host}, port {port}: {error.strerror}; {advice}") from None


def _runtime() -> str | None:
    """Where a service's files last as long as itself: cleaners take away what is old among temporary ones."""
    given = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return next((place for place in (given, SHARED_MEMORY) if place and os.access(place, os.W_OK)), None)


class _Server(Server):  # type: ignore[misc, valid-type]
    """Granian, which puts up the sign some time before it stops its workers."""

    def __init__(self, target: str, sign: Path, drain_seconds: float, **options: Any) -> None:  # noqa: ANN401
        super().__init__(target, **options)
        self._sign = sign
        self._drain_seconds = drain_seconds
        self._is_ending = False

    def signal_handler_interrupt(self, *_: object) -> None:
        """Granian's handler of SIGTERM and SIGINT, in the parent process."""
        hurried, self._is_ending = self._is_ending, True
        with suppress(OSError):  # whatever is wrong with the folder, this ends
            self._sign.touch()
        stop = super().signal_handler_interrupt
        if hurried or not self._drain_seconds:
            stop()
            return
        waiting = Timer(self._drain_seconds, stop)
        waiting.daemon = True
        waiting.start()
