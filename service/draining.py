"""What a worker learns from its parent: that shutdown has begun, or that there is no parent any more."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

WATCH_SECONDS = 1.0
SIGN_VARIABLE = "PARALLEL_OPS_DRAINING_SIGN"


def draining_sign() -> Callable[[], bool]:
    """Whether the sign is up, a file that the parent makes; it never is where nobody has named one."""
    name = os.environ.get(SIGN_VARIABLE)
    return Path(name).exists if name else lambda: False


def end_with_parent() -> None:
    """End this worker when its parent is killed: it would go on answering at a port that looks free.

    The folder of the sign, which the parent cannot remove any more, is removed then.
    """
    parent, sign = os.getppid(), os.environ.get(SIGN_VARIABLE)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        if sign:
            shutil.rmtree(Path(sign).parent, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=watch, name="parent-watch", daemon=True).start()
