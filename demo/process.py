"""A server that runs as our child: started, stopped, killed or frozen, and gone when we are."""

import os
import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import ClassVar

import psutil

from demo import launch
from demo.afterwards import Afterwards, go_on
from demo.folders import account, closed_folder, give_away

# Below the range from which the kernel picks ports for outgoing connections: a client that keeps
# knocking while the server is away could otherwise be given that very port, and talk to itself.
PORTS = range(20_000, 32_000)
# One after another, so that nobody is given a port that somebody else was told and does not listen on yet.
_PORTS_IN_TURN = cycle(random.SystemRandom().sample(PORTS, len(PORTS)))
POLL_SECONDS = 0.01


class ServerError(Exception):
    """An embedded server cannot be started or used; the message says why and what to do."""


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens, and that this process has given to nobody else."""
    while True:
        port = next(_PORTS_IN_TURN)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def wait_until_ended(processes: Iterable[psutil.Process], seconds: float) -> bool:
    """Whether all of them end in time; one that nobody has buried yet (a zombie) has ended."""
    deadline = time.monotonic() + seconds
    while any(map(_alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _is_awake(process: psutil.Process) -> bool:
    """Whether it runs, or waits for something: it may go on by itself."""
    try:
        return process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def freeze(family: Callable[[], Iterable[psutil.Process]], frozen: list[Afterwards]) -> None:
    """Freeze all processes of a family; `frozen` gets what makes them go on, at the latest when we end."""
    # What has not stopped yet may just now start another one.
    while awake := [process for process in family() if _is_awake(process)]:
        frozen.append(go_on(*(process.pid for process in awake)))
        for process in awake:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        while any(map(_is_awake, awake)):
            time.sleep(POLL_SECONDS)


class Server(ABC):
    """One server on 127.0.0.1 in a folder of its own; a restart keeps its port and data."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    orphan_signal: ClassVar[signal.Signals]  # sent by the kernel when the process that started it ends
    start_seconds: float = 60.0
    stop_seconds: float = 30.0

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.absolute()
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[Afterwards] = []

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect to."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]:
        """What to run; prepares the folder as far as needed."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether it answers; OSError counts as not yet."""

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.folder / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Whether the process is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None or not self.running:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        if self.running:
            return
        self._own_folder()
        program = self._command()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._launch(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment(),
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop it cleanly: what it has accepted is kept."""
        if not self.running:
            return
        self.resume()
        assert self._process is not None  # noqa: S101
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End all of its processes at once, as a crash would."""
        family = self._family()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.wait()
        wait_until_ended(family, self.stop_seconds)
        self.resume()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers. It goes on, at the latest, when we end."""
        self.resume()
        freeze(self._family, self._frozen)

    def resume(self) -> None:
        """Go on after a pause."""
        while self._frozen:
            self._frozen.pop().now()

    def _family(self) -> list[psutil.Process]:
        """The server's process, then those that it has started."""
        if not self.running:
            return []
        parent = psutil.Process(self.pid)
        return [parent, *parent.children(recursive=True)]

    def _own_folder(self) -> None:
        """Make the folder if needed; its user must be able to get to it and own it."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True, mode=0o755)
            give_away(self.folder)
        if (closed := closed_folder(self.folder)) is not None:
            raise ServerError(
                f"{self.name} runs as the user {account().name}, who cannot enter {closed}: "
                "use a data folder elsewhere, for example below /var/tmp"
            )

    def _launch(self, program: Sequence[str | Path]) -> list[str]:
        user = account()
        return launch.command(program, uid=user.uid, gid=user.gid, last_signal=self.orphan_signal)

    @staticmethod
    def _environment() -> dict[str, str]:
        """Ours, without what a developer has set for their own PostgreSQL."""
        return {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while self.running:
            with suppress(OSError):
                if self._ready():
                    return
            if time.monotonic() > deadline:
                raise ServerError(self._complaint(f"did not answer within {self.start_seconds:g} s"))
            time.sleep(POLL_SECONDS)
        raise ServerError(self._complaint("ended while starting"))

    def _complaint(self, what: str) -> str:
        """What went wrong, with the last words of the server."""
        tail = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{self.name} {what}. The end of {self.log}:", *(f"  {line}" for line in tail)])
