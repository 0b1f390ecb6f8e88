"""Wheels of this project's distributions, built from the checkout."""

import sys
from pathlib import Path

from tests.support.children import run_program

BUILD_SECONDS = 60


def built_wheel(project: Path, folder: Path) -> Path:
    """The wheel of the project in a folder, put into another one; nothing is fetched for it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    made = run_program(build, cwd=project, capture_output=True, timeout=BUILD_SECONDS, check=False)
    assert made.returncode == 0, made.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
