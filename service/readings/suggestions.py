"""What a filter can be set to: the names that the readings hold, the most frequent ones, bounded."""

from collections import Counter
from collections.abc import Iterable, Mapping

from service.readings.reading import Name, Reading

# More would not help anybody who picks, and the page that lists them stays small.
MOST = 200
MAX_LENGTH = 200


def names_in(readings: Iterable[Reading]) -> Counter[Name]:
    """How many rows each name has in all the readings."""
    rows: Counter[Name] = Counter()
    for reading in readings:
        rows.update(dict(reading.names()))
    return rows


def suggested(rows: Mapping[Name, int]) -> tuple[str, ...]:
    """The most frequent names, sorted; ties go by name.

    A filter's value is trimmed and has a largest length: what is not so could be picked and would find
    nothing.
    """
    fit = [(-count, name) for name, count in rows.items() if name and name == name.strip()[:MAX_LENGTH]]
    return tuple(sorted(name for _, name in sorted(fit)[:MOST]))
