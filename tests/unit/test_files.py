"""Files of a table: no cell of a csv begins a formula, and nothing else is changed."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from service.overview.files import Cell, Table, written
from tests import oracle

FORMULAS = (
    *("=1+1", "+1", "-1+1", "@SUM(A1)", '=HYPERLINK("//evil.example","x")', "=cmd|' /C calc'!A0", "-", "@"),
    *(" =1", "\t=1", "\n=1", "\r\n =1", "\u00a0=1", "\u3000\t@x", "\v-1", "\x85+1", "\u2028=1"),
)
ELSEWHERE = ("\tx", "\nx", "\rx", "\r\nx", "\t", "\n")
HARMLESS = (
    "",
    " ",
    " x",
    "x",
    "a=1",
    "1-1",
    "'=1",
    "a\t=1",
    "a\n=1",
    "#REF",
    "\u2212x",
    "%",
    '"=1"',
    "|",
    "\0=",
)


class Whole(Struct):
    """A document."""

    n: int = 1


def rows(*cells: Sequence[Cell]) -> list[list[str]]:
    """What whoever parses the csv reads, without its header."""
    columns = [f"c{n}" for n in range(len(cells[0]))]
    text = written(Table(Whole(), "A title", {}, columns, cells), "csv").decode()
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))[1:]


@pytest.mark.parametrize("text", FORMULAS + ELSEWHERE)
def test_a_text_that_would_begin_a_formula_is_quoted(text: str) -> None:
    assert rows([text, text], ["x", text]) == [[f"'{text}"] * 2, ["x", f"'{text}"]]


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert rows(["x", text]) == [["x", text]]


def test_numbers_instants_and_truths_are_no_texts() -> None:
    instant = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    assert rows([-1, -0.5, 1e-07, None, True, False, instant]) == [
        ["-1", "-0.5", "1e-07", "", "true", "false", "2026-03-10T09:30:00Z"]
    ]


@given(
    text=st.text(st.sampled_from(" \t\r\n\v\u2029\x1f\xa0=+-@'\"x,"), max_size=6)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
)
def test_every_text_is_written_as_the_contract_says(text: str) -> None:
    assert rows(["x", text]) == [["x", oracle.csv_cell(text)]]


def test_a_table_in_markdown_has_its_facts_above_it() -> None:
    table = Table(Whole(), "A title", {"at": 1, "on": True}, ("one_name", "b"), [("|x", None), (1.5, False)])
    assert written(table, "md").decode() == (
        "# A title\n\n- at: 1\n- on: true\n\n| One name | B |\n| --- | --- |\n"
        "| \\|x | n/a |\n| 1.5 | false |\n"
    )
    assert written(table, "json") == b'{\n  "n": 1\n}'
