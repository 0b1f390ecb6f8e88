"""Granian as the server, with the options that this service wants."""

from granian.constants import Interfaces
from granian.server import Server


def serve(host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT; each worker builds the application from the environment."""
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
