"""How the values of query parameters are read: from the raw text, and what was read before it.

A reader raises ValueError with the message for the caller.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from service.overview.query import ALIGNMENTS, BUCKET_DAYS, BUCKET_HOURS, CLOCK_BUCKETS, HOURLY_WINDOWS

MAX_TEXT_LENGTH = 200
# Python refuses to read longer numbers; nobody means them.
INTEGER = re.compile(r"-?[0-9]{1,4000}")
# No "nan", no "inf", no other digits.
_NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")

T = TypeVar("T")
Values = Mapping[str, Any]
Reader = Callable[[str, Values], T]


def _integer(raw: str, refusal: str) -> int:
    """Plain ASCII digits only: "+7", "7.0" and "१" are no integers here."""
    if not INTEGER.fullmatch(raw):
        raise ValueError(refusal)
    return int(raw)


def one_of(name: str, allowed: tuple[int, ...]) -> Reader[int]:
    """One of these integers."""
    refusal = f"{name} must be one of: {', '.join(map(str, allowed))}"

    def read(raw: str, _before: Values) -> int:
        value = _integer(raw, refusal)
        if value not in allowed:
            raise ValueError(refusal)
        return value

    return read


def bucket(raw: str, before: Values) -> int:
    """The days of a bucket, which are no more than the window's."""
    value = one_of("bucket_days", BUCKET_DAYS)(raw, before)
    if value > before["window_days"]:
        raise ValueError("bucket_days must be <= window_days")
    return value


def bucket_hours(raw: str, before: Values) -> int:
    """The hours of a bucket, in place of its days, of a window that is told by the hour."""
    value = one_of("bucket_hours", BUCKET_HOURS)(raw, before)
    if before["window_days"] not in HOURLY_WINDOWS:
        raise ValueError(f"bucket_hours needs window_days of {' or '.join(map(str, HOURLY_WINDOWS))}")
    if before["bucket_days"] is not None:
        raise ValueError("give bucket_days or bucket_hours, not both")
    return value


def align(raw: str, before: Values) -> str | None:
    """How edges are found; those of the clock are of days and weeks."""
    value = choice(ALIGNMENTS, None, f"align must be {' or '.join(ALIGNMENTS)}")(raw, before)
    if value == "clock" and before["bucket_days"] not in (None, *CLOCK_BUCKETS):
        raise ValueError(f"align=clock needs bucket_days of {' or '.join(map(str, CLOCK_BUCKETS))}")
    return value


def at_least(name: str, least: int) -> Reader[int]:
    """An integer that is not less."""
    refusal = f"{name} must be >= {least}"

    def read(raw: str, _before: Values) -> int:
        value = _integer(raw, refusal)
        if value < least:
            raise ValueError(refusal)
        return value

    return read


def between(name: str, least: int, most: int) -> Reader[int]:
    """An integer from the one to the other."""
    refusal = f"{name} must be between {least} and {most}"

    def read(raw: str, _before: Values) -> int:
        value = _integer(raw, refusal)
        if not least <= value <= most:
            raise ValueError(refusal)
        return value

    return read


def share(name: str) -> Reader[float]:
    """A number from 0 to 1."""
    refusal = f"{name} must be between 0 and 1"

    def read(raw: str, _before: Values) -> float:
        value = float(raw) if _NUMBER.fullmatch(raw) else -1
        if not 0 <= value <= 1:
            raise ValueError(refusal)
        return abs(value)  # there is a minus zero

    return read


def short_text(name: str) -> Reader[str | None]:
    """A text without the white space around it; blank is none."""

    def read(raw: str, _before: Values) -> str | None:
        value = raw.strip()
        if len(value) > MAX_TEXT_LENGTH:
            raise ValueError(f"{name} must be at most {MAX_TEXT_LENGTH} characters")
        if "\0" in value:
            raise ValueError(f"{name} must not contain NUL")
        return value or None

    return read


def choice(allowed: tuple[str, ...], default: str | None, refusal: str) -> Reader[str | None]:
    """One of these words, in any case; blank is the default."""

    def read(raw: str, _before: Values) -> str | None:
        value = raw.strip().lower()
        if value and value not in allowed:
            raise ValueError(refusal)
        return value or default

    return read
