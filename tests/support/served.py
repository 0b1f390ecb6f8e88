"""The service as a process of its own, as `parallel-ops serve` runs it."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from demo.process import free_port, wait_until_ended
from service.settings import Settings
from tests.support.children import ending_with_us

COMMAND = Path(sys.executable).parent / "parallel-ops"
START_SECONDS = 30
END_SECONDS = 30
ORPHAN_SECONDS = 5


@contextmanager
def served(settings: Settings, workers: int = 1, **variables: str) -> Generator[str]:
    """Serve until the block ends; gives the address. `variables` are settings by their lower-case names."""
    port = free_port()
    with launched(settings, port, workers, **variables) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        assert process.wait(END_SECONDS) == 0


@contextmanager
def launched(
    settings: Settings, port: int, workers: int = 1, **variables: str
) -> Generator[subprocess.Popen[bytes]]:
    """The running service, once it answers; it is killed if it still runs when the block ends."""
    given = {
        "database_url": settings.database_url,
        "redis_url": settings.redis_url,
        "database_share": str(settings.database_share),
        "auth": "disabled",
        "tenants": settings.tenants,
        "drain_seconds": "0",
        **variables,
    }
    environment = {f"PARALLEL_OPS_{name.upper()}": value for name, value in given.items()}
    command: list[str | Path] = [COMMAND, "serve", "--port", str(port), "--workers", str(workers)]
    with running(command, environment, f"http://127.0.0.1:{port}/health/live") as process:
        yield process


@contextmanager
def running(
    command: Sequence[str | Path], environment: Mapping[str, str], url: str
) -> Generator[subprocess.Popen[bytes]]:
    """A server's process, once the address answers; it is killed if it still runs when the block ends."""
    with subprocess.Popen(
        ending_with_us(command),
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            _until_live(process, url)
            yield process
        finally:
            # Workers outlive a parent that is killed by a second, and remove its temporary folder then.
            family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.kill()
            if not wait_until_ended(family, ORPHAN_SECONDS):
                for member in family:
                    with suppress(psutil.NoSuchProcess):
                        member.kill()


def _until_live(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client() as client:
        while True:
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < deadline, "the service does not answer"
            try:
                client.get(url).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
