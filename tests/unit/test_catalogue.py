"""What follows from the catalogue's facts."""

import pytest

from service.readings.catalogue import Facts


@pytest.mark.parametrize(
    ("rows", "whole", "read_days", "may"),
    [
        (6_000_000, True, 90, True),
        (6_000_001, True, 1, False),
        (6_000_000, False, 92, True),
        (6_000_001, False, 92, False),
        (10_000_000, False, 54, True),
        (10_000_000, False, 55, False),
    ],
)
def test_a_first_look_goes_through_few_rows(rows: int, whole: bool, read_days: int, may: bool) -> None:
    facts = Facts({"doc_sync": rows}, frozenset({"doc_sync"}) if whole else frozenset())
    assert facts.may_be_looked_at("doc_sync", read_days) is may
    assert facts.may_be_looked_at("consumption_templates", read_days)
