"""`make loaded`: whether the tests pass on a machine that is busy, and at any hour of the day.

Whole runs of the tests beside busy loops, each by a clock that begins elsewhere. libfaketime was tried:
by 0.9.10 Python 3.11 cannot sleep, or waits for ever, whether or not it leaves the monotonic clock alone.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.support.checkout import ROOT
from tests.support.children import ending_with_us, run_program
from tests.support.ending import exit_in_order

BUSY_LOOPS = 4
# The first is a time at which a demo's seed once was too small; the last goes over the end of a year.
INSTANTS = (
    datetime(2026, 12, 1, 0, 42, tzinfo=UTC),
    datetime(2026, 12, 2, 2, 58, tzinfo=UTC),
    datetime(2026, 12, 3, 5, 20, tzinfo=UTC),
    datetime(2026, 12, 4, 7, 44, tzinfo=UTC),
    datetime(2026, 12, 5, 9, 59, tzinfo=UTC),
    datetime(2026, 12, 6, 12, 31, tzinfo=UTC),
    datetime(2026, 12, 7, 14, 57, tzinfo=UTC),
    datetime(2027, 1, 1, 17, 15, tzinfo=UTC),
    datetime(2027, 2, 28, 20, 5, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 55, tzinfo=UTC),
)


def main() -> int:
    """Run the tests at one instant after another, until a run fails; the exit code says whether one did."""
    parser = argparse.ArgumentParser("make loaded", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--first", type=int, default=1, choices=range(1, len(INSTANTS) + 1), help="run to begin with"
    )
    first = parser.parse_args().first
    if shutil.which("cc") is None:
        sys.exit(
            "there is no C compiler (cc), which the clock takes: on Debian, apt-get install gcc libc6-dev"
        )
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with _clock() as clock, _busy(), Progress(*columns, console=console) as progress:
        task = progress.add_task("whole runs", total=len(INSTANTS), completed=first - 1)
        for number, instant in enumerate(INSTANTS[first - 1 :], first):
            started = time.monotonic()
            run = _run(instant, clock)
            seconds = time.monotonic() - started
            console.print(
                f"{number}, from {instant:%Y-%m-%d %H:%M} on: exit {run.returncode}, {seconds:.0f} s"
            )
            if run.returncode:
                console.print(run.stdout, markup=False, emoji=False, highlight=False, soft_wrap=True)
                return 1
            progress.advance(task)
    return 0


def _run(instant: datetime, clock: Path) -> "subprocess.CompletedProcess[str]":
    offset = round(instant.timestamp() - time.time())
    environment = os.environ | {"LD_PRELOAD": str(clock), "CLOCK_OFFSET": str(offset)}
    return run_program(
        ["make", "test", "ARGS="],  # ours are not for the tests
        check=False,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@contextmanager
def _clock() -> Iterator[Path]:
    """What is preloaded into all that a run starts: PostgreSQL and Valkey have the same clock."""
    with TemporaryDirectory(prefix="loaded-") as folder:
        Path(folder).chmod(0o755)  # servers may run as somebody else
        library = Path(folder) / "clock.so"
        run_program(
            ["cc", "-O2", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("clock.c"), "-ldl"]
        )
        yield library


@contextmanager
def _busy() -> Iterator[None]:
    loops = [
        subprocess.Popen(ending_with_us([sys.executable, "-c", "while True: pass"]))
        for _ in range(BUSY_LOOPS)
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    exit_in_order(main)
