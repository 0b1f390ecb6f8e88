"""The world that the tests break, under steady load, and what was measured."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.figures import Figures
from tests.faults.world import World, running_world

FIGURES = pytest.StashKey[Figures]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the long load is, and where the figures go."""
    parser.addoption("--minutes", type=float, default=2.0, help="how long the long load lasts")
    parser.addoption("--figures", type=Path, help="a page whose tables are to be replaced")


def pytest_configure(config: pytest.Config) -> None:
    """One place for all figures of a run."""
    config.stash[FIGURES] = Figures()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the figures, and keep them if that was asked for."""
    figures, page = config.stash[FIGURES], config.getoption("--figures")
    terminalreporter.write_line(f"\n{figures}\n")
    if page is not None:
        figures.write_into(page)


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    """Where a test notes what it measured."""
    return pytestconfig.stash[FIGURES]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def whole_world() -> AsyncIterator[World]:
    """Servers, three instances, and the programs that write; nobody asks yet."""
    async with running_world() as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def world(whole_world: World) -> AsyncIterator[World]:
    """That world, while many callers ask and every answer is checked."""
    async with whole_world.under_load():
        yield whole_world
