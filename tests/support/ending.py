"""A run that is told to end, or loses the make that started it, ends in order: fixtures end what they began.

A pytest plugin; who runs servers without pytest calls `end_in_order`, or has `exit_in_order` call its main.
What a run that is killed leaves behind is children.py's matter, and demo/afterwards.py's.
"""

import os
import select
import signal
import sys
from collections.abc import Callable
from threading import Thread
from types import FrameType
from typing import NoReturn

import psutil

MAKES = ("make", "gmake")
# As a shell says of a program that Ctrl-C ended: 128 and the signal's number.
TOLD_TO_END = 128 + signal.SIGINT


def pytest_configure() -> None:
    """From the start, before any fixture."""
    end_in_order()


def end_in_order() -> None:
    """Take SIGTERM as Ctrl-C is taken, and the end of an enclosing make as SIGTERM."""
    signal.signal(signal.SIGTERM, _interrupt)
    makes = [process.pid for process in psutil.Process().parents() if process.name() in MAKES]
    if makes and hasattr(os, "pidfd_open"):
        watched = os.pidfd_open(makes[0])
        Thread(target=_end_after, args=(watched,), name="make-watch", daemon=True).start()


def exit_in_order(main: Callable[[], int | None]) -> NoReturn:
    """Exit with what main returns, none being 0; told to end before, say so and exit with TOLD_TO_END.

    Who has click for a main needs only `end_in_order`: click ends with a line of its own, and 1.
    """
    end_in_order()
    try:
        status = main()
    except KeyboardInterrupt:
        print("told to end before all was done", file=sys.stderr)
        status = TOLD_TO_END
    sys.exit(status)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Once: whoever signals a process group has make pass the same on, which would disturb the end."""
    signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def _end_after(watched: int) -> None:
    """Not only a parent's end: between make and us there may be `timeout`."""
    select.select([watched], [], [])
    os.kill(os.getpid(), signal.SIGTERM)
