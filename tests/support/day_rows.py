"""Day readings of rows that are written out."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from service.readings.reading import Label, Name, Reading, StoredDay

DAY = 86_400
NOTHING = (0, 0, 0)
CUTS = (100, 200, 300)
TODAY = 20_000
# So late in the day that one cell has not begun, and another one cell more.
TICK = TODAY * DAY + 200


class Row(NamedTuple):
    """Rows of a name and label in a cell, and their weight."""

    name: Name
    label: str
    cell: int
    total: int
    weight: int


def figures(label: Label, counts: Sequence[int]) -> tuple[int, ...]:
    """How many, how many of them bad, and the weight."""
    total, weight = counts
    return total, total * (label[0] == "bad"), weight


def stored(
    rows: Iterable[Row] = (), *, day: int = TODAY, tick: int = TICK, is_complete: bool = True
) -> StoredDay:
    """A day of these rows, as it is kept."""
    labels: dict[Label, int] = {}
    names: dict[Name, list[int]] = {}
    for name, label, cell, total, weight in rows:
        number = labels.setdefault((label,), len(labels))
        names.setdefault(name, []).extend((cell, number, total, weight))
    return StoredDay(day, tick, CUTS, is_complete, tuple(labels), tuple(names.items()))


def reading(*rows: Row, day: int = TODAY, tick: int = TICK, is_complete: bool = True) -> Reading:
    return Reading(stored(rows, day=day, tick=tick, is_complete=is_complete), NOTHING, 2, 2, figures)
