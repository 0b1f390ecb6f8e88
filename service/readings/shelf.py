"""The readings that this process has, by their names."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from service.readings.grid import DEEPEST, Grid, days_of, is_cut_for
from service.readings.manifest import Listed
from service.readings.reading import Reading


class _Held(Struct, frozen=True):
    section: str
    listed: Listed
    reading: Reading
    size: int


class Shelf:
    """See the module. `size` is about how many bytes they take."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._held: dict[str, _Held] = {}
        self._keeping = 0
        self.size = 0

    def put(self, section: str, listed: Listed, reading: Reading) -> None:
        """Keep a reading, until it is forgotten."""
        self._drop(listed.id)
        held = self._held[listed.id] = _Held(section, listed, reading, reading.size)
        self.size += held.size

    def lacks(self, listed: Iterable[Listed]) -> list[Listed]:
        """Those that are not here."""
        return [each for each in listed if each.id not in self._held]

    def readings(self, listed: Iterable[Listed]) -> dict[int, Reading]:
        """The readings by their days."""
        return {each.day: self._held[each.id].reading for each in listed}

    def newest(self, section: str, tick: int) -> dict[int, Listed]:
        """The newest reading of each day that can be used at a tick; of two of one tick, that made last."""
        found: dict[int, Listed] = {}
        for held in self._held.values():
            listed = held.listed
            known = found.get(listed.day)
            if (
                held.section == section
                and (known is None or known.tick <= listed.tick)
                and 0 <= tick - listed.tick <= self._grid.horizon
                and is_cut_for(held.reading.cuts, tick)
            ):
                found[listed.day] = listed
        return found

    def all_days(self, section: str, tick: int) -> tuple[Listed, ...]:
        """The newest reading of each day of the largest window, all of which are here."""
        found = self.newest(section, tick)
        return tuple(found[day] for day in days_of(tick, DEEPEST))

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Forget nothing over a block: what is counted on as it begins is there as it ends."""
        self._keeping += 1
        try:
            yield
        finally:
            self._keeping -= 1

    def forget(self, kept: Collection[str], since: int) -> None:
        """Drop the readings that were made before a tick, but for those that are named."""
        if self._keeping:
            return
        for name, held in list(self._held.items()):
            if name not in kept and held.listed.tick < since:
                self._drop(name)

    def _drop(self, name: str) -> None:
        held = self._held.pop(name, None)
        if held is not None:
            self.size -= held.size
