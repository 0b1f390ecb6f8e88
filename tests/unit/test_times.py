"""Times on the wire: with the zone that they are of, and as many digits as they have."""

from datetime import UTC, datetime

import msgspec
import pytest

from service.overview.times import Instant, rfc3339


@pytest.mark.parametrize(
    ("microsecond", "written"),
    [
        (0, "2026-03-10T09:30:00Z"),
        (1, "2026-03-10T09:30:00.000001Z"),
        (500_000, "2026-03-10T09:30:00.500000Z"),
    ],
)
def test_an_instant_is_written_as_in_a_json_answer(microsecond: int, written: str) -> None:
    instant = datetime(2026, 3, 10, 9, 30, 0, microsecond, UTC)
    assert (rfc3339(instant), msgspec.json.encode(instant).decode()) == (written, f'"{written}"')


def test_what_has_no_zone_is_not_read_as_an_instant() -> None:
    assert msgspec.json.decode('"2026-03-10T09:30:00Z"', type=Instant) == datetime(
        2026, 3, 10, 9, 30, tzinfo=UTC
    )
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.json.decode('"2026-03-10T09:30:00"', type=Instant)
