"""A PostgreSQL and a hot standby of it by streaming replication."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import asyncpg

from demo.folders import account
from demo.run import READER
from demo.servers import Postgres, ServerError
from tests.support.children import ending_with_us

# What is committed is on its way at once, as in a PLM's database.
REPLICATED = {"wal_level": "replica", "max_wal_senders": "5", "synchronous_commit": "on"}
# A statement that is in the way of replaying is ended at once.
STANDBY = {"max_standby_streaming_delay": "0", "wal_retrieve_retry_interval": "100ms"}


class Standby(Postgres):
    """A copy of a running server, which follows it."""

    def __init__(self, folder: Path, primary: Postgres) -> None:
        follows = f"host=127.0.0.1 port={primary.port} user=postgres"
        of_primary = {name: primary.settings[name] for name in (*REPLICATED, "max_connections")}
        super().__init__(folder, settings=of_primary | STANDBY | {"primary_conninfo": follows})
        self._primary = primary

    def _initialise(self) -> None:
        source = ["-h", "127.0.0.1", "-p", str(self._primary.port), "-U", "postgres", "-c", "fast"]
        copy: list[str | Path] = [self.programs / "pg_basebackup", "-D", self.data, "--no-sync", "-R"]
        made = subprocess.run(
            ending_with_us([*copy, *source], user=account()),
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            raise ServerError(made.stderr.decode())


@contextmanager
def replicated(folder: Path) -> Generator[tuple[Postgres, Standby]]:
    """A primary and its standby, both running, until the block ends."""
    primary = Postgres(folder / "primary", settings=REPLICATED)
    standby = Standby(folder / "standby", primary)
    try:
        primary.start()
        standby.start()
        yield primary, standby
    finally:
        standby.kill()
        primary.kill()


def address_of(*servers: Postgres) -> str:
    """The address of several servers of which a standby is to be read, as the service's role."""
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://{READER}@/postgres?{hosts}&target_session_attrs=prefer-standby"


async def replay(standby: asyncpg.Connection, what: Literal["pause", "resume"]) -> None:
    """Tell a standby. Any statement may be in the way of replaying, this one, too, and is ended then."""
    done = False
    while not done:
        with suppress(asyncpg.SerializationError):
            await standby.execute(f"SELECT pg_wal_replay_{what}()")
            done = True
