"""Real server processes of the service, for tests that need more than one."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil
from msgspec.structs import asdict

from demo.afterwards import Afterwards
from demo.process import free_port, freeze
from service.environment import PREFIX
from service.settings import Settings
from tests.support.children import ending_with_us, taken_over

START_SECONDS = 30.0
POLL_SECONDS = 0.02
INSTANCES = 3


class Instance:
    """One `parallel-ops serve` process with its workers; `variables` are given to it as they are."""

    def __init__(self, settings: Settings, log: Path, *, workers: int = 1, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._command = [
            *(sys.executable, "-c", "from service.cli import main; main()", "serve"),
            *("--port", str(self.port), "--workers", str(workers)),
        ]
        # What it leaves behind when it is killed goes with the test's own folder.
        self._environment = {
            **taken_over(),
            "RUNTIME_DIRECTORY": str(log.parent),
            **environment(settings),
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[Afterwards] = []

    def start(self) -> None:
        """Start the process; `ready()` says when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ending_with_us(self._command),
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"{self.url}/schema/openapi.json")
                except httpx.TransportError:
                    if time.monotonic() > deadline or self.process.poll() is not None:
                        raise AssertionError(f"no answer; its log:\n{self.log.read_text()[-4000:]}") from None
                    await asyncio.sleep(POLL_SECONDS)
                else:
                    return

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its workers, which are in process groups of their own."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def pause(self) -> None:
        """Freeze the process and its workers. They go on, at the latest, when we end."""
        freeze(self._family, self._frozen)

    def resume(self) -> None:
        """Go on after a pause."""
        while self._frozen:
            self._frozen.pop().now()

    def kill(self) -> None:
        """End everything of this instance at once."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        self.resume()

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@asynccontextmanager
async def three_instances(settings: Settings, folder: Path) -> AsyncIterator[list[Instance]]:
    """Three instances of the service, which answer; their logs are in the folder."""
    started = [Instance(settings, folder / f"instance-{number}.log") for number in range(INSTANCES)]
    try:
        for instance in started:
            instance.start()
        await asyncio.gather(*(instance.ready() for instance in started))
        yield started
    finally:
        for instance in started:
            instance.kill()


def environment(settings: Settings) -> Mapping[str, str]:
    """The variables that configure a process like `settings`."""
    given = {name: value for name, value in asdict(settings).items() if value is not None}
    return {PREFIX + name.upper(): str(value) for name, value in given.items()}
