"""Programs that tests and benchmarks run: each ends when the process that started it does.

Everything that starts one goes through here (tests/unit/test_layout.py sees to it), because whoever is
killed has no chance to end its children itself.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo import launch
from demo.folders import Account

OURSELVES = Account(str(os.geteuid()), os.geteuid(), os.getegid())
# What a program takes over that is given an environment of its own: where others are found, and the clock
# of `make loaded`, by which the servers go that it will meet.
TAKEN_OVER = ("PATH", "LD_PRELOAD", "CLOCK_OFFSET")


def ending_with_us(
    program: Sequence[str | Path],
    last_signal: signal.Signals = signal.SIGKILL,
    user: Account = OURSELVES,
) -> list[str]:
    """The command that runs `program`, which gets `last_signal` from the kernel when we end.

    SIGKILL by default, since that ends also who is frozen or busy; the service's workers end by themselves
    when their parent is gone. "We" is the thread that starts the program.
    """
    name, *words = program
    found = shutil.which(name)
    assert found is not None, f"{name} is not installed"
    return launch.command([found, *words], uid=user.uid, gid=user.gid, last_signal=last_signal)


def taken_over() -> dict[str, str]:
    """What of our environment a program has in any case."""
    return {name: os.environ[name] for name in TAKEN_OVER if name in os.environ}


def run_program(
    program: Sequence[str | Path],
    *,
    user: Account = OURSELVES,
    check: bool = True,
    **options: Any,  # noqa: ANN401
) -> subprocess.CompletedProcess[str]:
    """subprocess.run, which takes the options, of a program that speaks text and ends with us."""
    return subprocess.run(ending_with_us(program, user=user), text=True, check=check, **options)
