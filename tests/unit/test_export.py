"""Exports escape: no name in the data breaks a table or a file."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.overview.export import summary_table, trends_table
from service.overview.files import FORMATS, written
from service.overview.query import TrendsQuery
from service.overview.summary import Summary
from service.overview.trends import trends_of
from tests.support.snapshots import NOTHING
from tests.support.summaries import summary

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
counts = st.dictionaries(texts, st.integers(1, 10**12), max_size=5)
FIXED_ROWS = 12


def export(summary: Summary, export_format: str) -> bytes:
    """The summary's file."""
    return written(summary_table(summary), export_format)


@given(by_status=counts, by_result_code=counts)
def test_csv_gives_back_any_name(by_status: dict[str, int], by_result_code: dict[str, int]) -> None:
    text = export(summary(by_status, by_result_code), "csv").decode()
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))[1 + FIXED_ROWS :]
    assert rows == [
        *([f"doc_sync.by_status.{name}", str(n)] for name, n in sorted(by_status.items())),
        *([f"workflow_actions.by_result_code.{name}", str(n)] for name, n in sorted(by_result_code.items())),
    ]


@given(by_status=counts)
def test_a_markdown_table_has_a_line_for_each_row_whatever_its_name(by_status: dict[str, int]) -> None:
    lines = export(summary(by_status), "md").decode().splitlines()
    rows = lines[lines.index("| --- | --- |") + 1 :]
    assert len(rows) == FIXED_ROWS + len(by_status)
    for row, (_, n) in zip(rows[FIXED_ROWS:], sorted(by_status.items()), strict=True):
        assert row.startswith("| doc_sync.by_status.")
        assert row.endswith(f" | {n} |")
        assert row.replace("\\|", "").count("|") == 3


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_line_break_in_markdown_is_written_out(line_break: str) -> None:
    assert (
        "| doc_sync.by_status.a\\nb\\|c | 1 |\n" in export(summary({f"a{line_break}b|c": 1}), "md").decode()
    )


HOSTILE = {
    "<img src=x onerror=alert(1)>": "&lt;img src=x onerror=alert(1)&gt;",
    "[click](javascript:alert(1))": r"\[click\](javascript:alert(1))",
    "![](//evil.example/x.png)": r"\!\[\](//evil.example/x.png)",
    "&lt;b&gt; &": "&amp;lt;b&amp;gt; &amp;",
    "`a` **b** _c_ ~~d~~ E_F": r"\`a\` \*\*b\*\* \_c\_ \~\~d\~\~ E_F",
    r"\[x] \| \<b>": r"\\\[x\] \\\| \\&lt;b&gt;",
    "a|b\nc": r"a\|b\nc",
}


def test_markup_in_markdown_is_text() -> None:
    text = export(summary({}, dict.fromkeys(HOSTILE, 1)), "md").decode()
    for escaped in HOSTILE.values():
        assert f"| workflow_actions.by_result_code.{escaped} | 1 |\n" in text


@given(by_status=counts)
def test_nothing_of_a_name_is_markup_to_a_reader_of_markdown(by_status: dict[str, int]) -> None:
    """What follows a backslash is text (CommonMark, 2.4), and so is what an entity stands for (2.5)."""
    lines = export(summary(by_status), "md").decode().splitlines()
    rows = lines[lines.index("| --- | --- |") + 1 + FIXED_ROWS :]
    for row, name in zip(rows, sorted(by_status), strict=True):
        shown = row.removeprefix("| doc_sync.by_status.").rpartition(" | ")[0]
        text = re.sub(r"&(amp|lt|gt);", "", re.sub(r"\\[\\`*\[\]!~|_n]", "", shown))
        assert not set(text) & set("<>&[]!`*~|\\")
        assert len(text) <= len(name)


def test_null_is_empty_in_csv_and_not_available_in_markdown() -> None:
    assert b"\r\ndoc_sync.success_rate,\r\n" in export(summary(), "csv")
    assert b"\n| doc_sync.success_rate | n/a |\n" in export(summary(), "md")
    assert b'"success_rate": null' in export(summary(), "json")


@given(by_status=counts)
def test_json_is_not_escaped_beyond_need(by_status: dict[str, int]) -> None:
    text = export(summary(by_status), "json").decode()
    assert json.loads(text)["doc_sync"]["by_status"] == by_status
    assert all(name in text for name in by_status if name.isalpha())


def test_the_formats_are_the_contracts() -> None:
    assert tuple(FORMATS) == ("json", "csv", "md")


def test_lines_of_csv_end_as_the_rfc_says() -> None:
    text = export(summary({"a": 1}), "csv").decode()
    assert text.count("\n") == text.count("\r\n") == 1 + FIXED_ROWS + 1
    assert text.endswith("\r\n")


def test_a_point_without_jobs_has_none_of_any_direction() -> None:
    (row,) = trends_table(trends_of(NOTHING, TrendsQuery(NOTHING.query))).rows
    assert row[3:9] == [0] * 6
