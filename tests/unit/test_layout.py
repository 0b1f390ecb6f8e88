"""Who imports what among tests and benchmarks, and how they start programs: rules that no linter has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.suites import SUITES
from tests.support.checkout import ROOT

CHILDREN = "tests.support.children"
STARTS = (
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")),
    *(f"asyncio.create_subprocess_{name}" for name in ("exec", "shell")),
)


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    """The modules of tests/ and benchmarks/ by their names.

    No longer than they are wanted: with so many objects each collection of garbage stops whatever else
    this process has to do, the services under test, for a second on a machine that is busy.
    """
    paths = [path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    return {_name(path): ast.parse(path.read_text()) for path in paths}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports, wherever in it: modules, and names as if they were modules of a package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported(tree: ast.Module, *packages: str) -> list[str]:
    """Those imports that are of some packages."""
    return [name for name in imports(tree) if f"{name}.".startswith(tuple(f"{one}." for one in packages))]


def test_no_module_imports_a_test_or_a_conftest(modules: dict[str, ast.Module]) -> None:
    wrong = [
        f"{name} imports {found}"
        for name, tree in modules.items()
        for found in imported(tree, "tests")
        if any(part == "conftest" or part.startswith("test_") for part in found.split(".")[:-1])
    ]
    assert wrong == []


def test_benchmarks_and_tests_share_the_support_and_no_more(modules: dict[str, ast.Module]) -> None:
    for name, tree in modules.items():
        if name.startswith("benchmarks"):
            assert all(found.startswith("tests.support.") for found in imported(tree, "tests")), name
        else:
            assert imported(tree, "benchmarks") == [], name


def test_the_support_needs_no_tests(modules: dict[str, ast.Module]) -> None:
    for name, tree in modules.items():
        if name.startswith("tests.support"):
            found = imported(tree, "tests")
            assert all(other.startswith(("tests.support", "tests.oracle")) for other in found), name


def test_every_program_ends_with_whoever_starts_it(modules: dict[str, ast.Module]) -> None:
    wrong = [
        f"{name}:{start.lineno}"
        for name, tree in modules.items()
        for start in starts(tree)
        if name != CHILDREN and not ends_with_us(start)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("subprocess.Popen(ending_with_us(command), stdout=log)", True),
        ("asyncio.create_subprocess_exec(*ending_with_us(command))", True),
        ("subprocess.Popen(command)", False),
        ("subprocess.run(['ls'])", False),
        ("asyncio.to_thread(subprocess.run, command)", False),
    ],
)
def test_the_rule_for_programs_sees(text: str, good: bool) -> None:
    (start,) = starts(ast.parse(text))
    assert ends_with_us(start) is good


def starts(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls of what starts programs, and those that pass it on for somebody else to call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(map(_is_a_start, (node.func, *node.args))):
            yield node


def ends_with_us(start: ast.Call) -> bool:
    """Whether the program is made by `ending_with_us`, there and then."""
    if not _is_a_start(start.func) or not start.args:
        return False
    first = start.args[0]
    made = first.value if isinstance(first, ast.Starred) else first
    return isinstance(made, ast.Call) and ast.unparse(made.func) == "ending_with_us"


def _is_a_start(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) in STARTS


def test_no_import_is_excused() -> None:
    """A fixture is found by its name in a conftest or plugin, and need not be imported."""
    folders = ("tests", "benchmarks", "demo", "service", "recorder")
    excused = re.compile(r"#\s*noqa:.*\b(F401|F811)\b")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in paths if excused.search(path.read_text())] == []


def test_each_module_of_the_overview_is_changed_by_make_mutants_with_tests_that_there_are() -> None:
    overview = {path.relative_to(ROOT) for path in (ROOT / "service/overview").glob("[!_]*.py")}
    assert overview <= {Path(path) for suite in SUITES for path in suite.changed}
    assert all((ROOT / path).is_file() for suite in SUITES for path in (*suite.changed, *suite.tests))
