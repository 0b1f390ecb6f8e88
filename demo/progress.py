"""What a person sees on standard error while data is made."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

# Takes a table's name, the rows it has by now, and those that it will have.
Progress: TypeAlias = Callable[[str, int, int], None]

console = Console(stderr=True, highlight=False)


def unseen(_table: str, _done: int, _total: int) -> None:
    """For those who do not watch."""


@contextmanager
def bars() -> Generator[Progress]:
    """A bar for each table, from its first rows on."""
    columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console) as display:
        tasks: dict[str, TaskID] = {}

        def show(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = display.add_task(table, total=total)
            display.update(tasks[table], completed=done)

        yield show
