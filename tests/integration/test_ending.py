"""A test run that is killed leaves nothing behind, in whatever way: no process, and no servers' folder.

A command that is told to end says so, and shows no traceback.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from demo.process import wait_until_ended
from tests.support.checkout import ROOT
from tests.support.children import ending_with_us, run_program
from tests.support.ending import TOLD_TO_END
from tests.support.folders import passing_folder
from tests.support.programs import found
from tests.support.waiting import until

READY_SECONDS = 60
# The service's workers look once a second whether their parent is there.
END_SECONDS = 20
# Held in the middle of a test: servers, of which one is frozen, the service with two workers, an instance
# of it that is frozen, nginx, and a program that would go on for long.
HELD = """
import signal
import subprocess
from contextlib import nullcontext
from pathlib import Path

from tests.support.balancer import balanced
from tests.support.programs import found
from tests.support.children import ending_with_us
from tests.support.instances import Instance
from tests.support.served import served


async def test_that_never_ends(settings, valkey, tmp_path):
    instance = Instance(settings, tmp_path / "instance.log")
    instance.start()
    await instance.ready()
    with (
        served(settings, workers=2),
        balanced([instance.port]) if found("nginx") else nullcontext(),
        subprocess.Popen(ending_with_us(["sleep", "600"])),
    ):
        valkey.pause()
        instance.pause()
        Path("ready").touch()
        signal.pause()
"""
STARTED = {"postgres", "valkey-server", "sleep", *(["nginx"] if found("nginx") else [])}
PYTEST = (
    *(sys.executable, "-m", "pytest", "-q", "--asyncio-mode=auto", "-p", "no:cacheprovider"),
    *("-p", "pytest_asyncio.plugin", "-p", "tests.support.ending", "-p", "tests.support.fixtures"),
    *("--basetemp", "base", "test_held.py"),
)
HANDED_OUT = ("-p", "xdist.plugin", "-n", "1")
# Other plugins take longer to load than the run takes to be held.
NO_OTHER_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
# Of a command without pytest.
TOLD = """
import os
import signal

from tests.support.ending import exit_in_order


def main():
    {done}
    return 3


exit_in_order(main)
"""


def plainly(_folder: Path) -> Sequence[str]:
    return PYTEST


def by_make(folder: Path) -> Sequence[str]:
    """As make does it: between make and the tests are another program and the pytest that hands them out."""
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")
    (folder / "Makefile").write_text(f"test:\n\ttimeout 600 {' '.join((*PYTEST, *HANDED_OUT))}\n")
    return ("make", "test")


@contextmanager
def held_run(command: Sequence[str], folder: Path, temporary: Path) -> Generator[subprocess.Popen[bytes]]:
    """A test run in a folder, with its temporary files in another one."""
    (folder / "test_held.py").write_text(HELD)
    environment = os.environ | NO_OTHER_PLUGINS | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    with (folder / "said").open("wb") as said:
        run = subprocess.Popen(ending_with_us(command), cwd=folder, env=environment, stdout=said, stderr=said)
        with run:
            try:
                yield run
            finally:
                run.kill()


def family(run: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(run.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("started", [plainly, by_make], ids=lambda started: started.__name__)
async def test_a_run_that_is_killed_takes_everything_with_it(
    tmp_path: Path, started: Callable[[Path], Sequence[str]], number: signal.Signals
) -> None:
    with passing_folder() as temporary, held_run(started(tmp_path), tmp_path, temporary) as run:
        await until(lambda: run.poll() is not None or (tmp_path / "ready").exists(), READY_SECONDS)
        assert run.poll() is None, (tmp_path / "said").read_text()
        await until(lambda: {process.name() for process in family(run)} >= STARTED)
        processes = family(run)
        assert sum("serve" in process.cmdline() for process in processes) >= 2
        run.send_signal(number)
        assert wait_until_ended(processes, END_SECONDS), [each for each in processes if each.is_running()]
        await until(lambda: os.listdir(temporary) == [])


@pytest.mark.parametrize(
    ("done", "status", "said"),
    [
        ("pass", 3, ""),
        ("os.kill(os.getpid(), signal.SIGTERM)", TOLD_TO_END, "told to end before all was done\n"),
        ("raise KeyboardInterrupt", TOLD_TO_END, "told to end before all was done\n"),
    ],
    ids=["done", "SIGTERM", "Ctrl-C"],
)
def test_a_command_that_is_told_to_end_says_so_in_a_line(done: str, status: int, said: str) -> None:
    program = [sys.executable, "-c", TOLD.format(done=done)]
    ended = run_program(program, check=False, cwd=ROOT, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (status, said)
