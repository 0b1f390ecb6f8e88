"""Figures as files to keep or paste: JSON, and as a table CSV and Markdown."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from service.overview.markdown import LINE_BREAK, MEDIA_TYPE, escaped
from service.overview.times import rfc3339

Cell = str | int | float | bool | datetime | None

_FORMULA = re.compile(rf"\s*[=+\-@]|\t|{LINE_BREAK.pattern}")


class Table(Struct, frozen=True):
    """What a file holds: the whole as JSON, `document`, and what of it fits into columns.

    `facts` stand above the table where there is room for them.
    """

    document: Struct
    title: str
    facts: Mapping[str, Cell]
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def written(table: Table, export_format: str) -> bytes:
    """The table as a UTF-8 file in one of FORMATS."""
    return FORMATS[export_format].write(table)


def _json(table: Table) -> bytes:
    return msgspec.json.format(msgspec.json.encode(table.document), indent=2)


def _csv(table: Table) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)  # its default dialect ends lines with CRLF, as RFC 4180 asks
    writer.writerow(table.columns)
    writer.writerows(map(_harmless, row) for row in table.rows)
    return out.getvalue().encode()


def _harmless(cell: Cell) -> str | int | float | None:
    """A cell that no spreadsheet takes for a formula; a number's sign begins none."""
    plain = _plain(cell)
    return f"'{plain}" if isinstance(plain, str) and _FORMULA.match(plain) else plain


def _markdown(table: Table) -> bytes:
    facts = (f"- {name}: {_plain(value)}" for name, value in table.facts.items())
    head = (column.replace("_", " ").capitalize() for column in table.columns)
    lines = ["# " + table.title, "", *facts, "", _line(head), _line("---" for _ in table.columns)]
    lines += (_line(map(_escaped, row)) for row in table.rows)
    return ("\n".join(lines) + "\n").encode()


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(cell: Cell) -> str:
    return escaped("n/a" if cell is None else str(_plain(cell)))


def _plain(cell: Cell) -> str | int | float | None:
    """Instants and truths as JSON has them."""
    if isinstance(cell, datetime):
        return rfc3339(cell)
    return str(cell).lower() if isinstance(cell, bool) else cell


class Format(Struct, frozen=True):
    """What a file is, and how a table becomes one."""

    media_type: str
    write: Callable[[Table], bytes]


# By the names that may be asked for; the first is the default.
FORMATS = {
    "json": Format("application/json", _json),
    "csv": Format("text/csv; charset=utf-8", _csv),
    "md": Format(MEDIA_TYPE, _markdown),
}
