"""What follows from the catalogue's facts."""

import pytest

from service.readings.catalogue import MOST_ROWS_LOOKED_AT, Facts


@pytest.mark.parametrize(
    ("rows", "whole", "read_days", "may"),
    [
        (MOST_ROWS_LOOKED_AT, True, 1, True),
        (MOST_ROWS_LOOKED_AT + 1, True, 1, False),
        (5 * MOST_ROWS_LOOKED_AT, False, 14, True),
        (5 * MOST_ROWS_LOOKED_AT, False, 30, False),
    ],
)
def test_a_first_look_goes_through_few_rows(rows: int, whole: bool, read_days: int, may: bool) -> None:
    facts = Facts({"doc_sync": rows}, frozenset({"doc_sync"}) if whole else frozenset())
    assert facts.may_be_looked_at("doc_sync", read_days) is may
    assert facts.may_be_looked_at("consumption_templates", read_days)
