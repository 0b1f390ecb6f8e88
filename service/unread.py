"""Who never reads an answer is hung up on: by the kernel, as Granian waits for such a reader for ever.

A worker's listening socket is made inside Granian, which hands it to nobody; connections inherit what is
set on it. So it is looked for among the process' own descriptors as soon as it is there.
"""

import os
import socket
import stat
import sys
import time
from threading import Thread

# An answer of which its reader takes nothing for so long is given up.
UNREAD_MILLISECONDS = 10_000
_LOOK_SECONDS, _LOOKS = 0.02, 3000


def hang_up_on_the_deaf() -> None:
    """Have the kernel close connections whose other end takes nothing any more. Does nothing but on Linux."""
    if sys.platform == "linux":
        Thread(target=set_limit, name="listener-options", daemon=True).start()


def set_limit() -> None:
    """Set it on what listens, as soon as anything does."""
    for _ in range(_LOOKS):
        if sum(_is_set(int(name)) for name in os.listdir("/proc/self/fd")):
            return
        time.sleep(_LOOK_SECONDS)


def _is_set(descriptor: int) -> bool:
    """Set the limit if the descriptor is of a socket that listens; whether it was."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        with socket.socket(fileno=os.dup(descriptor)) as found:
            if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return False
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
    except OSError:  # closed meanwhile, or not of TCP
        return False
    return True
