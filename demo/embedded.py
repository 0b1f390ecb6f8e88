"""Servers for as long as a block of code runs, or its process lives."""

import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from demo.process import ServerError

END_SECONDS = 60.0


class Servers(Struct, frozen=True, tag=True):
    """Where the servers are, as the guardian reports it."""

    database_url: str
    redis_url: str
    folder: str


class Failure(Struct, frozen=True, tag=True):
    """Why there are no servers."""

    message: str


@contextmanager
def embedded_servers(data_dir: Path | None = None) -> Generator[Servers]:
    """PostgreSQL and Valkey with their data below data_dir, or in a folder that is removed afterwards.

    A guardian process holds them, so that they end with us even when we are killed.
    Raises ServerError when they cannot be had, or another demo holds data_dir.
    """
    arguments = [] if data_dir is None else [str(data_dir.absolute())]
    guardian = subprocess.Popen(
        [sys.executable, "-m", "demo.guardian", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with guardian:
        servers: Servers | None = None
        try:
            servers = _report(guardian)
            yield servers
        finally:
            _end(guardian)
            if servers is not None and data_dir is None:
                # Gone already, unless somebody killed the guardian.
                shutil.rmtree(servers.folder, ignore_errors=True)


def _report(guardian: subprocess.Popen[bytes]) -> Servers:
    """Wait for what the guardian says."""
    assert guardian.stdout is not None  # noqa: S101
    line = guardian.stdout.readline()
    if not line:
        raise ServerError(f"the servers' guardian ended with code {guardian.wait()}")
    report = msgspec.json.decode(line, type=Servers | Failure)
    if isinstance(report, Failure):
        raise ServerError(report.message)
    return report


def _end(guardian: subprocess.Popen[bytes]) -> None:
    """Let the guardian clean up; one that hangs is killed, and the kernel then ends its servers."""
    assert guardian.stdin is not None  # noqa: S101
    with suppress(BrokenPipeError):
        guardian.stdin.close()
    try:
        guardian.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        guardian.kill()
