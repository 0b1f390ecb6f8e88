"""A day reading: the rows of one table and one UTC day, counted by cell, name and label.

A *cell* is the time between two cuts. A *name* is what a filter compares: a site, a target object. A *label*
is what maps are made of: a status, a status and a result code. *Counts* are those of the rows of a name and
label in a cell; *figures* are what a day is made of in trends: sums of counts, each with a weight that
follows from the label.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from operator import mul, sub
from typing import TypeAlias

from msgspec import Struct

Name: TypeAlias = str | None
Label: TypeAlias = tuple[str | None, ...]
# Labels, and for each count a column of as many numbers.
Columns: TypeAlias = tuple[Sequence[Label], Sequence[Sequence[int]]]
FiguresOf: TypeAlias = Callable[[Label, Sequence[int]], tuple[int, ...]]
Row: TypeAlias = tuple[int, ...]  # cell, number of the label, and counts
# Of a reading without rows, and of a number in a column.
FIXED_BYTES, BYTES_A_NUMBER = 4096, 4
# Columns are of numbers of four bytes until one comes that needs eight.
_SMALL, _LARGE = "I", "q"
_Term: TypeAlias = tuple[int, tuple[int, ...]]  # a count, and its weight by the label's number


class StoredDay(Struct, frozen=True, array_like=True):
    """A day reading as it is kept in Redis.

    `rows` holds, for each name in turn, cell, label and counts of all its rows in one flat list. Unless
    `is_complete` some names are not told apart: their rows stand under None.
    """

    day: int
    tick: int
    cuts: tuple[int, ...]
    is_complete: bool
    labels: tuple[Label, ...]
    rows: tuple[tuple[Name, list[int]], ...]


class _Slice(Struct, frozen=True):
    """Where a name's rows and its totals by label are in the columns."""

    first: int
    end: int
    first_total: int
    end_total: int


_NOWHERE = _Slice(0, 0, 0, 0)


class Reading:
    """A stored day in columns, summed up beforehand, so that nothing asked of it walks over its rows.

    Those of one name are made when it is first asked for: most of a thousand names never are. Rows have so
    many `counts`; the first of them are told by label, so many as are `told`.
    """

    def __init__(
        self, stored: StoredDay, nothing: tuple[int, ...], counts: int, told: int, figures: FiguresOf
    ) -> None:
        self.day = stored.day
        self.tick = stored.tick
        self.cuts = stored.cuts
        self.is_complete = stored.is_complete
        self._labels = stored.labels
        self._terms = _terms(stored.labels, counts, figures)
        self.nothing = nothing
        self._cells, self._label_of = array("H"), array("I")
        self._width = 2 + counts
        self._counts = [array(_SMALL) for _ in range(told)]
        self._upto = [array(_SMALL) for _ in self.nothing]
        self._total_label = array("I")
        self._totals = [array(_SMALL) for _ in range(told)]
        self._slices: dict[Name, _Slice] = {}
        self._waiting = {name: _extended(array(_SMALL), flat) for name, flat in stored.rows}
        self._everything = self._add(_together(self._waiting.values(), self._width))
        self._whole = self._until(self._everything, self._everything.end)
        self._by_name = {name: self._figures_of(flat) for name, flat in self._waiting.items()}
        if not stored.is_complete:  # under None there are names, too
            self._by_name.pop(None, None)

    @property
    def size(self) -> int:
        """About how many bytes it takes: a few columns of at least some bytes, and those of its rows."""
        rows = sum(map(len, self._waiting.values())) + len(self._cells) * (2 + len(self._counts))
        return FIXED_BYTES + 2 * BYTES_A_NUMBER * rows

    def names(self) -> Iterator[tuple[Name, int]]:
        """The names, and how many rows each has."""
        for name, where in self._slices.items():
            yield name, sum(self._totals[0][where.first_total : where.end_total])
        for name, flat in self._waiting.items():
            yield name, sum(flat[2 :: self._width])

    def knows(self, name: str) -> bool:
        """Whether the rows of that name can be told: they are here, or there are none."""
        return self.is_complete or name in self._slices or name in self._waiting

    def by_name(self) -> Mapping[Name, tuple[int, ...]]:
        """The figures of all names that are told apart, of the whole day; rows without a name under None."""
        return self._by_name

    def by_name_from(self, cells: int) -> Iterator[tuple[Name, tuple[int, ...]]]:
        """The same without the first so many cells."""
        for name, whole in self._by_name.items():
            begun = self._unnamed(cells) if name is None else self.figures(name, cells)
            yield name, tuple(map(sub, whole, begun))

    def _unnamed(self, cells: int) -> tuple[int, ...]:
        """The figures of the rows without a name in the first so many cells."""
        rows = _rows(self._waiting[None], self._width)
        return self._figures_of([number for row in rows if row[0] < cells for number in row])

    def figures(self, name: Name, cells: int | None = None) -> tuple[int, ...]:
        """The figures of a name, or of everything, in the first so many cells or in all."""
        if cells is None:
            return self._whole if name is None else self._by_name.get(name, self.nothing)
        where = self._of(name)
        return self._until(where, bisect_left(self._cells, cells, where.first, where.end))

    def counts(self, name: Name) -> Columns:
        """The counts of a name by label, of the whole day."""
        where = self._of(name)
        first, end = where.first_total, where.end_total
        labels = [self._labels[number] for number in self._total_label[first:end]]
        return labels, [column[first:end] for column in self._totals]

    def counts_from(self, name: Name, cells: int) -> Columns:
        """The counts of a name by label, without those of the first so many cells; a label may come again."""
        where = self._of(name)
        first, end = bisect_left(self._cells, cells, where.first, where.end), where.end
        labels = [self._labels[number] for number in self._label_of[first:end]]
        return labels, [column[first:end] for column in self._counts]

    def _figures_of(self, flat: Sequence[int]) -> tuple[int, ...]:
        """The figures of rows in one flat list."""
        width = self._width
        labels, counts = flat[1::width], [flat[place::width] for place in range(2, width)]
        return tuple(sum(_weighted(terms, labels, counts)) for terms in self._terms)

    def _until(self, where: _Slice, end: int) -> tuple[int, ...]:
        return tuple([column[end - 1] for column in self._upto]) if end > where.first else self.nothing

    def _of(self, name: Name) -> _Slice:
        if name is None:
            return self._everything
        if name in self._waiting:
            self._slices[name] = self._add(list(_rows(self._waiting.pop(name), self._width)))
        return self._slices.get(name, _NOWHERE)

    def _add(self, rows: Sequence[Row]) -> _Slice:
        """Append rows to the columns, in the order of their cells."""
        if not rows:
            return _NOWHERE
        first, first_total = len(self._cells), len(self._total_label)
        cells, labels, *counts = zip(*sorted(rows), strict=True)
        told = counts[: len(self._counts)]
        totals = [_by_label(labels, column) for column in told]
        weighted = (_weighted(terms, labels, counts) for terms in self._terms)
        self._cells.extend(cells)
        self._label_of.extend(labels)
        self._total_label.extend(totals[0])
        _extend(self._counts, told)
        _extend(self._upto, map(accumulate, weighted))
        _extend(self._totals, (each.values() for each in totals))
        return _Slice(first, len(self._cells), first_total, len(self._total_label))


def _terms(labels: Sequence[Label], counts: int, figures: FiguresOf) -> list[list[_Term]]:
    """What each figure is the sum of: counts, times a weight that depends on a row's label."""
    weights = [_weights_of(label, counts, figures) for label in labels]
    by_figure = zip(*(zip(*each, strict=True) for each in weights), strict=True)
    found = (
        [(n, tuple(of)) for n, of in enumerate(zip(*each, strict=True)) if any(of)] for each in by_figure
    )
    return list(found)


@lru_cache(maxsize=10_000)
def _weights_of(label: Label, counts: int, figures: FiguresOf) -> tuple[tuple[int, ...], ...]:
    """By count, how often it counts in each figure."""
    return tuple(figures(label, [int(each == one) for each in range(counts)]) for one in range(counts))


def _weighted(
    terms: Sequence[_Term], labels: Sequence[int], counts: Sequence[Sequence[int]]
) -> Iterable[int]:
    """A figure of each row."""
    products = [map(mul, counts[n], map(of.__getitem__, labels)) for n, of in terms]
    return (
        products[0] if len(products) == 1 else map(sum, zip(repeat(0, len(labels)), *products, strict=True))
    )


def _by_label(labels: Sequence[int], numbers: Sequence[int]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for label, number in zip(labels, numbers, strict=True):
        sums[label] = sums.get(label, 0) + number
    return sums


def _extend(columns: list["array[int]"], values: Iterable[Iterable[int]]) -> None:
    columns[:] = [_extended(column, each) for column, each in zip(columns, values, strict=True)]


def _extended(column: "array[int]", numbers: Iterable[int]) -> "array[int]":
    """The column with more numbers; another one where these need more bytes."""
    more = tuple(numbers)
    try:
        column.extend(array(column.typecode, more))
    except OverflowError:
        column = array(_LARGE, column)
        column.extend(more)
    return column


def _rows(flat: Sequence[int], width: int) -> Iterable[Row]:
    return zip(*(flat[each::width] for each in range(width)), strict=True)


def _together(of_names: Collection[Sequence[int]], width: int) -> list[Row]:
    """The rows of all names, those of the same cell and label as one."""
    columns: list[dict[tuple[int, int], int]] = [{} for _ in range(2, width)]
    for flat in of_names:
        axes = list(zip(flat[::width], flat[1::width], strict=True))
        for place, sums in enumerate(columns, 2):
            for each, number in zip(axes, flat[place::width], strict=True):
                sums[each] = sums.get(each, 0) + number
    return [
        (*axes, *numbers)
        for axes, *numbers in zip(columns[0], *(each.values() for each in columns), strict=True)
    ]
