"""Where it fails: the worst sites and target objects, each of which the board can be kept to."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from service.api.values import MAX_TEXT_LENGTH

# So many are in sight, the others on demand.
IN_SIGHT = 5


class Place(Struct, frozen=True):
    """A place that rows name, None for those that name none, and its counts and rate.

    `is_filter` when the board can be kept to it.
    """

    name: str | None
    counts: tuple[int, ...]
    rate: float | None
    is_filter: bool


class Places(Struct, frozen=True):
    """The worst places, by the filter that keeps to one of them; `columns` are the names of their counts."""

    filter: str
    columns: tuple[str, ...]
    rate: str
    rows: tuple[Place, ...]

    @property
    def in_sight(self) -> tuple[Place, ...]:
        """The very worst."""
        return self.rows[:IN_SIGHT]

    @property
    def further(self) -> tuple[Place, ...]:
        """The rest."""
        return self.rows[IN_SIGHT:]


class Columns(Struct, frozen=True):
    """Where a section has its worst places, and what is shown of each."""

    field: str
    filter: str
    counts: tuple[str, ...]
    rate: str

    def places(self, section: object) -> Places:
        """The worst places of a section."""
        rows: Iterable[Any] = getattr(section, self.field)
        return Places(self.filter, self.counts, self.rate, tuple(self._place(row) for row in rows))

    def _place(self, row: Any) -> Place:  # noqa: ANN401 - WorstSite or WorstTargetObject
        name: str | None = getattr(row, self.filter)
        counts = tuple(getattr(row, count) for count in self.counts)
        return Place(name, counts, getattr(row, self.rate), _is_filter(name))


def _is_filter(name: str | None) -> bool:
    """Whether a filter finds the name: it is trimmed and not long, and blank is none."""
    return name is not None and name == name.strip() and 0 < len(name) <= MAX_TEXT_LENGTH
