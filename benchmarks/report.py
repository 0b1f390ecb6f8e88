"""Tables of figures, and where docs/benchmarks.md keeps them."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil
from msgspec import Struct

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
MEBI = 1024 * 1024
SHOWN = ("granian", "litestar", "msgspec", "sqlalchemy", "asyncpg", "redis", "uvloop")


class Table(Struct, frozen=True):
    """What one benchmark found: a row a case. `notes` stand below it."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median of several runs, with the least and the most."""
    return f"{median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def publish(name: str, table: Table) -> None:
    """Put the table where the page keeps the one of that name. Raises ValueError if it has no place."""
    page = PAGE.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{PAGE.name} has no place marked {begin.strip()} ... {end.strip()}")
    PAGE.write_text(f"{before}{begin}{as_markdown(table)}\n{machine()}\n{end}{after}")


def as_markdown(table: Table) -> str:
    """The table and its notes."""
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join((*rows, *(f"\n{note}" for note in table.notes))) + "\n"


def machine() -> str:
    """What it was measured on, and when."""
    versions = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    cores = psutil.cpu_count()
    return (
        f"*{datetime.now(UTC):%Y-%m-%d}; {cores} cores of {_processor()}, Python {platform.python_version()};"
        f" {versions}.*\n"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
