"""`make mutants`: whether the unit tests notice small wrong changes of the code that they are for.

A script of ours: mutmut was tried, and changes nothing that runs on import, as declarations of parameters do;
cosmic-ray, by its documentation, knows no texts and no returns, and changes the working tree.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.mutants.mutations import Mutant, mutants
from tests.mutants.suites import SUITES
from tests.mutants.worker import SAID
from tests.support.checkout import ROOT
from tests.support.children import ending_with_us, taken_over
from tests.support.ending import exit_in_order

COPIED = ("service", "demo", "recorder", "tests", "docs")
LEAST = 0.9
CONFIGURATION = """
[pytest]
filterwarnings = error
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
"""


class Change(NamedTuple):
    """A mutant of a file, and the tests that should notice it."""

    path: str
    mutant: Mutant
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.mutant.line}: {self.mutant.was}  ->  {self.mutant.now}"


class Worker:
    """A process that runs tests in a copy of the tree of its own."""

    def __init__(self, process: "subprocess.Popen[str]", copy: Path) -> None:
        self._process = process
        self._copy = copy

    def passes(self, change: tuple[str, str] | None, tests: Sequence[str]) -> bool:
        """Whether the tests pass with the change."""
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        print(json.dumps((change, tests)), file=to, flush=True)
        return bool(int(back.readline()))

    @property
    def said(self) -> str:
        """What the last tests said."""
        return (self._copy / SAID).read_text(errors="replace")


def main(chosen: Sequence[str]) -> int:
    """Try the changes of the chosen paths, or all; the exit code says whether enough of them were noticed."""
    console = Console(stderr=True)
    changes = [each for each in _changes() if each.path.startswith(tuple(chosen or [""]))]
    if not changes:
        sys.exit(f"nothing is changed in {', '.join(chosen)}: tests/mutants/suites.py says what is")
    with _workers(os.cpu_count() or 1) as workers:
        survivors = _survivors(changes, workers, console)
    for change in sorted(survivors, key=lambda each: (each.path, each.mutant.line)):
        console.print(str(change), markup=False, emoji=False, highlight=False, soft_wrap=True)
    survived = Counter(each.path for each in survivors)
    for path, made in Counter(each.path for each in changes).items():
        console.print(f"{path}: {_share(made - survived[path], made)}")
    console.print(f"changes noticed: {_share(len(changes) - len(survivors), len(changes))}")
    return 0 if len(survivors) <= (1 - LEAST) * len(changes) else 1


def _share(noticed: int, made: int) -> str:
    return f"{noticed} of {made} ({noticed / made:.1%})"


def _changes() -> Iterator[Change]:
    for suite in SUITES:
        for path in suite.changed:
            for mutant in mutants((ROOT / path).read_text()):
                yield Change(path, mutant, suite.tests)


def _survivors(changes: list[Change], workers: list[Worker], console: Console) -> list[Change]:
    """The changes that no test notices."""
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        for tests in {change.tests for change in changes}:
            if not worker.passes(None, tests):
                sys.exit(f"{worker.said}\nThe tests fail as it is: nothing was changed.")
        free.put(worker)

    def survives(change: Change) -> bool:
        worker = free.get()
        try:
            return worker.passes((change.path, change.mutant.source), change.tests)
        finally:
            free.put(worker)

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(len(workers)) as threads:
        task = progress.add_task("mutants", total=len(changes))
        tried = {threads.submit(survives, change): change for change in changes}
        survivors = []
        for future in as_completed(tried):
            if future.result():
                survivors.append(tried[future])
            progress.update(task, advance=1, description=f"mutants, {len(survivors)} survived")
    return survivors


@contextmanager
def _workers(count: int) -> Iterator[list[Worker]]:
    """Workers in copies of the tree, in which files may be changed."""
    with TemporaryDirectory(prefix="mutants-") as folder, ExitStack() as running:
        yield [running.enter_context(_worker(Path(folder) / str(number))) for number in range(count)]


@contextmanager
def _worker(copy: Path) -> Iterator[Worker]:
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "pytest.ini").write_text(CONFIGURATION)
    environment = taken_over() | {
        "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "recorder")]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    command = [sys.executable, "-m", "tests.mutants.worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        ending_with_us(command), cwd=copy, env=environment, stdin=pipe, stdout=pipe, text=True
    ) as process:
        try:
            yield Worker(process, copy)
        finally:
            process.kill()


if __name__ == "__main__":
    exit_in_order(lambda: main(sys.argv[1:]))
