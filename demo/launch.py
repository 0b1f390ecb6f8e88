"""Become another program: as an unprivileged user, and one that ends when its parent does.

Run as a script in front of the program, because the obvious `preexec_fn` is unsafe in a process
with threads. It imports nothing of ours: root may run it from a folder that the user cannot read.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def command(program: Sequence[str | Path], *, uid: int, gid: int, last_signal: signal.Signals) -> list[str]:
    """The command that runs `program` as uid and gid, and sends it last_signal when its parent ends.

    Linux watches the parent's *thread*: start servers from a thread that lives as long as they should.
    """
    options = (os.getpid(), uid, gid, int(last_signal))
    return [sys.executable, "-I", "-S", __file__, *map(str, options), *map(str, program)]


def _end_with_parent(parent: int, last_signal: int) -> None:
    """Ask the kernel; other systems than Linux have no such service and rely on the guardian alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, last_signal, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was asked
        sys.exit(1)


def main() -> None:
    """Change the user first: that would make the kernel forget what was asked of it."""
    parent, uid, gid, last_signal = map(int, sys.argv[1:5])
    program = sys.argv[5:]
    if os.geteuid() != uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    _end_with_parent(parent, last_signal)
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main()
