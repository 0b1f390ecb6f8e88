"""SLO hints: which rates are past their thresholds."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from msgspec import Struct

Level = Literal["warn", "critical"]
HINT_LEVELS: tuple[Level, ...] = ("warn", "critical")

OVERLAY_CACHE_HIT_RATE_LOW = "overlay_cache_hit_rate_low"
DOC_SYNC_DEAD_LETTER_RATE_HIGH = "doc_sync_dead_letter_rate_high"
WORKFLOW_ACTION_FAILED_RATE_HIGH = "workflow_action_failed_rate_high"
BREAKAGE_OPEN_RATE_HIGH = "breakage_open_rate_high"
HINT_CODES = (
    OVERLAY_CACHE_HIT_RATE_LOW,
    DOC_SYNC_DEAD_LETTER_RATE_HIGH,
    WORKFLOW_ACTION_FAILED_RATE_HIGH,
    BREAKAGE_OPEN_RATE_HIGH,
)


class Threshold(Struct, frozen=True):
    """Where a rate warns and, when set, where it is critical."""

    warn: float
    critical: float | None = None


class Thresholds(Struct, frozen=True):
    """The thresholds of every hint; the defaults are the contract's."""

    overlay_cache_hit_rate: Threshold = Threshold(0.8)
    overlay_cache_min_requests: int = 10
    doc_sync_dead_letter_rate: Threshold = Threshold(0.05)
    workflow_failed_rate: Threshold = Threshold(0.02)
    breakage_open_rate: Threshold = Threshold(0.5)


class Hint(Struct, frozen=True):
    """One rate that is past its threshold."""

    code: str
    level: Level
    message: str


class Rates(Struct, frozen=True):
    """The figures that have thresholds; a rate without data is None and gives no hint."""

    overlay_requests: int
    overlay_hit_rate: float | None
    dead_letter_rate: float | None
    failed_rate: float | None
    open_rate: float | None


def slo_hints(rates: Rates, thresholds: Thresholds) -> tuple[Hint, ...]:
    """The hints of the rates that are past their thresholds, in the contract's order."""
    enough = rates.overlay_requests >= thresholds.overlay_cache_min_requests
    hints = (
        _low(rates.overlay_hit_rate if enough else None, thresholds.overlay_cache_hit_rate),
        _high(
            rates.dead_letter_rate,
            thresholds.doc_sync_dead_letter_rate,
            DOC_SYNC_DEAD_LETTER_RATE_HIGH,
            "Document sync dead-letter rate",
        ),
        _high(
            rates.failed_rate,
            thresholds.workflow_failed_rate,
            WORKFLOW_ACTION_FAILED_RATE_HIGH,
            "Workflow custom action failed rate",
        ),
        _high(
            rates.open_rate,
            thresholds.breakage_open_rate,
            BREAKAGE_OPEN_RATE_HIGH,
            "Open breakage ratio",
        ),
    )
    return tuple(hint for hint in hints if hint is not None)


def _low(rate: float | None, threshold: Threshold) -> Hint | None:
    for level, limit in _strictest_first(threshold):
        if rate is not None and rate < limit:
            message = f"Overlay cache hit rate is below {_plain(limit)} in the selected window"
            return Hint(OVERLAY_CACHE_HIT_RATE_LOW, level, message)
    return None


def _high(rate: float | None, threshold: Threshold, code: str, what: str) -> Hint | None:
    for level, limit in _strictest_first(threshold):
        if rate is not None and rate > limit:
            return Hint(code, level, f"{what} is above {_plain(limit, 100)}%")
    return None


def _plain(limit: float, times: int = 1) -> str:
    """A threshold with all its digits and no more: 0.07 is 7 %, not 7.000000000000001."""
    text = f"{Decimal(repr(limit)) * times:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _strictest_first(threshold: Threshold) -> Iterator[tuple[Level, float]]:
    if threshold.critical is not None:
        yield "critical", threshold.critical
    yield "warn", threshold.warn
