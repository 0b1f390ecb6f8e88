"""What figures are of under the filters of a view, and what is said of names that the data does not hold."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import asdict

from service.overview.query import FILTERS, Filters
from service.overview.summary import Summary
from service.readings.suggestions import MOST
from service.snapshots import SECTIONS

MOST_NEAREST = 3
LEAST_LIKENESS = 0.5
# Comparing takes time with the square of the length.
COMPARED_LENGTH = 40

# Which section a filter keeps to some of its rows, and how that counts them.
_SECTION_OF = {name: each.name for each in SECTIONS for name in FILTERS if name in each.depends_on}
_TOTALS = {"consumption_templates": "versions_total"}


class Kept(Struct, frozen=True):
    """A filter as a section has it: the value that it is kept to, None where the section has all of them."""

    filter: str
    value: str | None


class UnknownName(Struct, frozen=True):
    """A filter's value that no row has, as far as is known: of `known` names, of which there may be more.

    `nearest` are those that look most like it.
    """

    filter: str
    value: str
    nearest: tuple[str, ...]
    known: int
    is_certain: bool


def scopes(filters: Filters) -> dict[str, tuple[Kept, ...]]:
    """How each section has the filters that are given."""
    given = _given(filters)
    return {
        each.name: tuple(
            Kept(name, value if name in each.depends_on else None) for name, value in given.items()
        )
        for each in SECTIONS
    }


def unknown_names(
    filters: Filters, summary: Summary, choices: Mapping[str, tuple[str, ...]]
) -> dict[str, UnknownName]:
    """The filters, by the section that they keep, whose values no row has; none while names are not known."""
    found = {}
    for name, value in _given(filters).items():
        section, names = _SECTION_OF[name], choices[name]
        if names and value not in names and not rows_of(summary, section):
            nearest = _nearest(value, names)
            found[section] = UnknownName(name, value, nearest, len(names), len(names) < MOST)
    return found


def rows_of(summary: Summary, section: str) -> int:
    """How many rows a section that has a filter counts."""
    total: int = getattr(getattr(summary, section), _TOTALS.get(section, "total"))
    return total


def _given(filters: Filters) -> dict[str, str]:
    return {name: value for name, value in asdict(filters).items() if value is not None}


def _nearest(value: str, names: Iterable[str]) -> tuple[str, ...]:
    by_looks = {_looks(name): name for name in names}
    return tuple(
        by_looks[looks] for looks in get_close_matches(_looks(value), by_looks, MOST_NEAREST, LEAST_LIKENESS)
    )


def _looks(name: str) -> str:
    return name.casefold()[:COMPARED_LENGTH]
