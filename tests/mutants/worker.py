"""A process that tries one change after another, each in a child that knows the libraries already.

It runs in a copy of the tree. Each line that it reads is JSON: a change as a path and a source, or null, and
the tests. For each it writes whether these pass, as 1 or 0.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

# What takes long to import, and is nobody's to change here.
LIBRARIES = (
    *(
        "hypothesis.strategies",
        "litestar",
        "prometheus_client.core",
        "redis.asyncio",
        "sqlalchemy.ext.asyncio",
    ),
    *("structlog", "yaml"),
)
# Neither the project's plugins nor its fixtures, which start servers. What draws its examples by chance is
# no measure, and is left out.
PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not hypothesis", "--noconftest")
PLUGINS = ("-p", "pytest_asyncio.plugin", "-p", "_hypothesis_pytestplugin")
# What takes more is taken for endless: of the processor and of memory, and on a busy machine of the clock.
SECONDS, BYTES, SECONDS_BY_THE_CLOCK = 10, 2 * 2**30, 60
SAID = "said.txt"


def main() -> None:
    """Try what is asked for until nothing more is."""
    for name in LIBRARIES:
        import_module(name)
    for line in sys.stdin:
        change, tests = json.loads(line)
        print(int(_passes(change, tests)), flush=True)


def _passes(change: tuple[str, str] | None, tests: Sequence[str]) -> bool:
    if change is None:
        return _run(tests, keeps_bytecode=True) == 0
    path, source = change
    with _changed(Path(path), source):
        return _run(tests, keeps_bytecode=False) == 0


@contextmanager
def _changed(file: Path, source: str) -> Iterator[None]:
    """The file with another source; afterwards it is so much as before that its bytecode fits again."""
    before, times = file.read_bytes(), file.stat()
    file.write_text(source)
    try:
        yield
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def _run(tests: Sequence[str], *, keeps_bytecode: bool) -> int:
    """pytest's exit code in a child; negative if that had to be ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.alarm(SECONDS_BY_THE_CLOCK)
    sys.dont_write_bytecode = not keeps_bytecode
    # What they say is for whoever wonders why they fail as it is.
    said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os._exit(pytest.main([*PYTEST, *PLUGINS, *tests]))


if __name__ == "__main__":
    main()
