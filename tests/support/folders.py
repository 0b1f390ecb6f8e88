"""Temporary folders for servers."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from demo import afterwards
from demo.folders import temporary_folder


@contextmanager
def passing_folder() -> Generator[Path]:
    """A new folder that the servers' user can enter, which pytest's own is not when we are root.

    It is gone after the block, and also when we are killed. Of pytest's own folders the last three runs'
    stay, as ever: pytest removes them.
    """
    folder = temporary_folder()
    removal = afterwards.remove(folder)
    try:
        yield folder
    finally:
        removal.now()
