"""What is done when this process ends, however it does: frozen servers go on, folders are removed.

The kernel can end a child with its parent (launch.py), but it wakes nobody who is frozen and removes
nothing. So a small program waits at a pipe, which closes when we ask for it or are gone. It imports
nothing of ours, and has a session of its own: what is sent to our group does not reach it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

REMOVE_SECONDS = 30.0
POLL_SECONDS = 0.1


class Afterwards:
    """A program that waits for the word to do something, or for our end."""

    def __init__(self, action: str, *words: str) -> None:
        command = [sys.executable, "-I", "-S", __file__, action, *words]
        # It outlives us for a moment, and must not keep what reads our output waiting.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def now(self) -> None:
        """Do it, and wait until it is done; a second time does nothing."""
        self._process.communicate()


def go_on(*processes: int) -> Afterwards:
    """Afterwards these processes, which will be frozen, run again."""
    return Afterwards("go_on", *map(str, processes))


def remove(folder: Path) -> Afterwards:
    """Afterwards this folder is gone."""
    return Afterwards("remove", str(folder))


def _wake(processes: list[str]) -> None:
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(int(process), signal.SIGCONT)


def _remove(folder: str) -> None:
    """Servers that end just now may still write into it."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while Path(folder).exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        if Path(folder).exists():
            time.sleep(POLL_SECONDS)


def main() -> None:
    """Wait for the end of the standard input, then act."""
    action, *words = sys.argv[1:]
    sys.stdin.buffer.read()
    if action == "go_on":
        _wake(words)
    else:
        _remove(*words)


if __name__ == "__main__":
    main()
