"""Granian as the server, with the options that this service wants."""

import os
from tempfile import TemporaryDirectory

from granian.constants import Interfaces
from granian.server import Server


def serve(host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT; each worker builds the application from the environment."""
    with TemporaryDirectory(prefix="parallel-ops-") as folder:
        # Where workers share their metrics; the client library wants it named before it is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        Server(
            "service.app:application",
            factory=True,
            address=host,
            port=port,
            workers=workers,
            interface=Interfaces.ASGI,
            websockets=False,
            log_access=False,
        ).serve()
