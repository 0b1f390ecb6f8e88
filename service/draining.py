"""The sign by which the workers know that shutdown has begun: a file that their parent makes."""

import os
from collections.abc import Callable
from pathlib import Path

SIGN_VARIABLE = "PARALLEL_OPS_DRAINING_SIGN"


def draining_sign() -> Callable[[], bool]:
    """Whether the sign is up; it never is where nobody has named one."""
    name = os.environ.get(SIGN_VARIABLE)
    return Path(name).exists if name else lambda: False
