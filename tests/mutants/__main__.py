"""`make mutants`: whether the unit tests notice small wrong changes of the code that they are for.

A script of ours: mutmut was tried, and changes nothing that runs on import, as declarations of parameters do;
cosmic-ray, by its documentation, knows no texts and no returns, and changes the working tree.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.mutants.mutations import Mutant, mutants
from tests.support.checkout import ROOT
from tests.support.children import run_program


class Suite(NamedTuple):
    """What is changed, files and folders of files, and the tests that are for it.

    They need no servers; those by hypothesis are left out, for chance is no measure, and so are slow ones.
    """

    changed: tuple[str, ...]
    tests: tuple[str, ...]


READINGS = ("account", "grid", "plan", "reading", "recurrences", "suggestions", "sums")
SUITES = (
    Suite(
        ("service/overview", "service/api/parameters.py", "service/api/values.py"),
        (
            "tests/unit/test_parameters.py",
            "tests/unit/test_parameters_document.py",
            "tests/unit/test_parameters_refused.py",
            "tests/unit/test_slo.py",
            "tests/unit/test_to_the_letter.py",
            "tests/unit/test_overrides.py",
            "tests/unit/test_export.py",
            "tests/unit/test_files.py",
            "tests/unit/test_prometheus.py",
            "tests/unit/test_trends.py",
        ),
    ),
    Suite(
        tuple(f"service/readings/{name}.py" for name in READINGS),
        (
            "tests/unit/test_grid.py",
            "tests/unit/test_reading_plan.py",
            "tests/unit/test_database_share.py",
            "tests/unit/test_readings.py",
            "tests/unit/test_suggestions.py",
            "tests/unit/test_account.py",
            "tests/unit/test_recurrences.py",
        ),
    ),
)
COPIED = ("service", "demo", "recorder", "tests")
LEAST = 0.9
SECONDS = 30
FAILED, CANNOT_BE_IMPORTED = 1, 2

# Neither the project's plugins nor its fixtures: they take longer to load than the tests to run.
PYTEST = (
    *("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin"),
    *("--noconftest", "-m", "not hypothesis"),
)
CONFIGURATION = "[pytest]\nfilterwarnings = error\n"


class Change(NamedTuple):
    """A mutant of a file, and the tests that should notice it."""

    path: str
    mutant: Mutant
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.mutant.line}: {self.mutant.was}  ->  {self.mutant.now}"


def main(chosen: Sequence[str]) -> int:
    """Try the changes of the chosen paths, or all; the exit code says whether enough of them were noticed."""
    console = Console(stderr=True)
    changes = [
        each for suite in SUITES for each in _changes(suite) if each.path.startswith(tuple(chosen or [""]))
    ]
    with _copies(os.cpu_count() or 1) as copies:
        survivors = _survivors(changes, copies, console)
    for change in sorted(survivors, key=lambda each: (each.path, each.mutant.line)):
        console.print(str(change), markup=False, highlight=False, soft_wrap=True)
    survived = Counter(each.path for each in survivors)
    for path, made in Counter(each.path for each in changes).items():
        console.print(f"{path}: {made - survived[path]} of {made}")
    noticed = 1 - len(survivors) / len(changes)
    console.print(f"{len(changes) - len(survivors)} of {len(changes)} changes noticed: {noticed:.1%}")
    return 0 if noticed >= LEAST else 1


def _changes(suite: Suite) -> Iterator[Change]:
    for path in _files(suite.changed):
        for mutant in mutants((ROOT / path).read_text()):
            yield Change(path, mutant, suite.tests)


def _files(names: Sequence[str]) -> list[str]:
    found = [
        path
        for name in names
        for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).glob("*.py"))
    ]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def _survivors(changes: list[Change], copies: list[Path], console: Console) -> list[Change]:
    """The changes that no test notices."""
    for tests in {change.tests for change in changes}:
        assert _run(copies[0], tests) == 0, "the tests fail as it is"
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def survives(change: Change) -> bool:
        copy = free.get()
        file = copy / change.path
        file.write_text(change.mutant.source)
        try:
            return _run(copy, change.tests) == 0
        finally:
            shutil.copyfile(ROOT / change.path, file)
            free.put(copy)

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(len(copies)) as threads:
        task = progress.add_task("mutants", total=len(changes))
        tried = {threads.submit(survives, change): change for change in changes}
        survivors = []
        for future in as_completed(tried):
            if future.result():
                survivors.append(tried[future])
            progress.update(task, advance=1, description=f"mutants, {len(survivors)} survived")
    return survivors


@contextmanager
def _copies(count: int) -> Iterator[list[Path]]:
    """Copies of the tree, in which files may be changed."""
    with TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Path(folder) / str(number) for number in range(count)]
        for copy in copies:
            for name in COPIED:
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            (copy / "pytest.ini").write_text(CONFIGURATION)
        yield copies


def _run(copy: Path, tests: Sequence[str]) -> int:
    """pytest's exit code in a copy; 1 if it takes for ever."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "recorder")]),
        "PYTHONDONTWRITEBYTECODE": "1",  # a file may change twice within a second
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    try:
        done = run_program(
            [sys.executable, *PYTEST, *tests],
            cwd=copy,
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return FAILED
    assert done.returncode in (0, FAILED, CANNOT_BE_IMPORTED), done.stdout + done.stderr
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
