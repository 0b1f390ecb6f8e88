"""Addresses of servers: of one as the service's role, and of none."""

from demo.process import free_port
from demo.run import READER
from demo.servers import Postgres


def reader_url(postgres: Postgres) -> str:
    """The server's database, as the role that only reads."""
    return postgres.url.replace("postgres@", f"{READER}@")


def nowhere(scheme: str) -> str:
    """An address at which nobody listens."""
    return f"{scheme}://127.0.0.1:{free_port()}/0"
