"""What the last run measured, as tables for people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Outcome:
    """What a trial measured; seconds, and counts."""

    name: str
    answers: int
    refusals: int
    oldest: float
    slowest: float
    recovery: float
    connections: int
    statements: int

    def row(self) -> tuple[str, ...]:
        """As a row of the table."""
        return (
            self.name,
            f"{self.answers:,}",
            f"{self.refusals:,}",
            f"{self.oldest:.0f} s",
            f"{self.slowest:.2f} s",
            f"{self.recovery:.1f} s",
            f"{self.connections}",
            f"{self.statements}",
        )


@dataclass
class Figures:
    """The outcomes of all trials, and what the long load came to."""

    outcomes: list[Outcome] = field(default_factory=list)
    long_load: list[tuple[str, str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        trials = _table(
            ("fault", "answers", "503", "oldest", "slowest", "fresh after", "connections", "statements"),
            [outcome.row() for outcome in self.outcomes],
        )
        long_load = _table(("long load", "at first", "at the end"), self.long_load)
        return "\n\n".join(table for table in (trials, long_load) if table)

    def write_into(self, page: Path) -> None:
        """Put the tables in place of those that stand between the two marks of a page."""
        before, _, rest = page.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        page.write_text(f"{before}{BEGIN}\n\n{self}\n\n{END}{after}")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    numbers = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, numbers, *rows))
