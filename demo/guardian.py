"""The process between a demo and its servers: it outlives the demo just long enough to clean up.

It says where the servers are in one JSON line on its standard output. Its standard input is a pipe
from the demo, which the kernel closes however the demo ends; then it stops the servers and removes
what was temporary. It runs in a session of its own, so that Ctrl-C reaches the demo alone.
"""

import fcntl
import os
import select
import shutil
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from demo.embedded import Failure, Servers
from demo.folders import temporary_folder
from demo.servers import Postgres, ServerError, Valkey

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LOOK_SECONDS = 1.0


def main() -> None:
    """Run until the demo ends; the argument, if any, is the folder that is kept."""
    parent = os.getppid()
    os.umask(0o022)  # the servers run as another user when we are root
    for number in ENDING:
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        with _servers(Path(sys.argv[1]) if sys.argv[1:] else None) as servers:
            _say(servers)
            _wait_for_end_of(parent)
    except (ServerError, OSError) as error:
        _say(Failure(str(error)))
        sys.exit(1)


@contextmanager
def _servers(data_dir: Path | None) -> Generator[Servers]:
    """Both servers, below data_dir or a temporary folder; nothing interrupts their end."""
    with ExitStack() as stack:
        if data_dir is None:
            folder = temporary_folder()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        else:
            folder = data_dir
            stack.enter_context(_held(folder))
        postgres = Postgres(folder / "postgres")
        valkey = Valkey(folder / "valkey", options={} if data_dir is None else {"appendonly": "yes"})
        for server in (postgres, valkey):
            stack.callback(server.stop)
        stack.callback(_ignore_signals)
        postgres.start()
        valkey.start()
        yield Servers(postgres.url, valkey.url, str(folder))


@contextmanager
def _held(folder: Path) -> Generator[None]:
    """The folder, made if need be, for us alone; the lock ends with the process at the latest."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(f"{folder} is in use by another running demo") from None
        yield


def _ignore_signals() -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _say(message: Servers | Failure) -> None:
    """One line for the demo; when that is gone already, nobody minds."""
    try:
        sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wait_for_end_of(parent: int) -> None:
    """The pipe closes, or, where a forked worker of the demo still holds it open, we get a new parent."""
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if readable:
            return


if __name__ == "__main__":
    main()
