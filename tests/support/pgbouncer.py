"""Debian's PgBouncer before a PostgreSQL, in transaction mode and with nothing else set for the service."""

import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from demo.folders import give_away
from demo.process import Server
from demo.run import READER
from demo.servers import Postgres
from tests.support.folders import passing_folder
from tests.support.programs import program

# Fewer than the service has, so that statements of one connection go through several sessions.
SESSIONS = 2


class PgBouncer(Server):
    """It lets everybody in, as the PostgreSQL of the tests does."""

    name: ClassVar = "pgbouncer"
    stop_signal: ClassVar = signal.SIGINT
    orphan_signal: ClassVar = signal.SIGTERM

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        super().__init__(folder)
        self._postgres = postgres

    @property
    def url(self) -> str:
        """The address of the database `postgres` for the service's role."""
        return f"postgresql://{READER}@127.0.0.1:{self.port}/postgres"

    def _command(self) -> list[str | Path]:
        users, configuration = self.folder / "users.txt", self.folder / "pgbouncer.ini"
        users.write_text(f'"{READER}" ""\n')
        configuration.write_text(
            f"[databases]\n* = host=127.0.0.1 port={self._postgres.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {users}\n"
            f"pool_mode = transaction\ndefault_pool_size = {SESSIONS}\n"
        )
        for file in (users, configuration):
            give_away(file)
        return [program("pgbouncer", "pgbouncer"), configuration]

    def _ready(self) -> bool:
        socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        return True


@contextmanager
def bouncing(postgres: Postgres) -> Generator[PgBouncer]:
    """One before that server until the block ends; skips where there is none."""
    with passing_folder() as folder:
        pooler = PgBouncer(folder / "pgbouncer", postgres)
        try:
            pooler.start()
            yield pooler
        finally:
            pooler.kill()
