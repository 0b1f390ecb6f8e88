"""Programs of the machine that some tests drive: without one they skip, unless nothing may be missing."""

import os
import shutil

import pytest

# Set where every test must run, as in CI: a program that is missing would take its tests along unseen.
NO_SKIPS = "PARALLEL_OPS_TESTS_NO_SKIPS"
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def found(name: str) -> str | None:
    """The path of a program, if the machine has it."""
    return shutil.which(name, path=_PATH)


def program(name: str, package: str) -> str:
    """The path of a program, which is in that package of Debian's."""
    if path := found(name):
        return path
    missing = f"no {name} on this machine: apt-get install {package}"
    if os.environ.get(NO_SKIPS):
        pytest.fail(missing)
    pytest.skip(missing)
