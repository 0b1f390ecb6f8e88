"""Objectives: which rates have limits and where these stand, and the hints of rates that are past them.

OBJECTIVES says it once: settings, thresholds, hints, gauges and the board are made from it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, defstruct

from service.overview.times import Instant

Level = Literal["warn", "critical"]
HINT_LEVELS: tuple[Level, ...] = ("warn", "critical")


class Minimum(Struct, frozen=True):
    """The least count of a section that its rate means something with: `figure` is its name there.

    One that `is_told` stands in answers, and a request may bring another.
    """

    name: str
    figure: str
    default: int
    is_told: bool = False


class Objective(Struct, frozen=True, kw_only=True):
    """A rate of a section that shall not rise above its limits; where these `is_floor`, not fall below them.

    `name` is that of its thresholds. `failures` are the fields of a cell that count everything and what
    failed; None where cells do not tell. `message` names the limit that is passed as {share} or {percent}.
    `default` is where it warns; critical it is nowhere unless that is set, to `critical_example` for one.
    """

    code: str
    name: str
    section: str
    rate: str
    is_floor: bool = False
    message: str
    default: float
    critical_example: float
    minimum: Minimum
    failures: tuple[str, str] | None = None

    def is_past(self, rate: float, limit: float) -> bool:
        """Whether a rate is on the wrong side of a limit."""
        return rate < limit if self.is_floor else rate > limit

    def counted(self, cell: object) -> tuple[int, int]:
        """How many a cell counts, and how many of them failed."""
        return attrgetter(*self.failures or ())(cell)


OBJECTIVES = (
    Objective(
        code="overlay_cache_hit_rate_low",
        name="overlay_cache_hit_rate",
        section="overlay_cache",
        rate="hit_rate",
        is_floor=True,
        message="Overlay cache hit rate is below {share} in the selected window",
        default=0.8,
        critical_example=0.5,
        minimum=Minimum("overlay_cache_min_requests", "requests", 10, is_told=True),
        failures=("requests", "misses"),
    ),
    Objective(
        code="doc_sync_dead_letter_rate_high",
        name="doc_sync_dead_letter_rate",
        section="doc_sync",
        rate="dead_letter_rate",
        message="Document sync dead-letter rate is above {percent}%",
        default=0.05,
        critical_example=0.2,
        minimum=Minimum("doc_sync_min_jobs", "total", 0),
        failures=("total", "dead_letters"),
    ),
    Objective(
        code="workflow_action_failed_rate_high",
        name="workflow_failed_rate",
        section="workflow_actions",
        rate="failed_rate",
        message="Workflow custom action failed rate is above {percent}%",
        default=0.02,
        critical_example=0.1,
        minimum=Minimum("workflow_min_runs", "total", 0),
        failures=("total", "failed"),
    ),
    Objective(
        code="breakage_open_rate_high",
        name="breakage_open_rate",
        section="breakages",
        rate="open_rate",
        message="Open breakage ratio is above {percent}%",
        default=0.5,
        critical_example=0.8,
        minimum=Minimum("breakage_min_incidents", "total", 0),
    ),
)
BY_CODE = {objective.code: objective for objective in OBJECTIVES}
HINT_CODES = tuple(BY_CODE)


class Threshold(Struct, frozen=True):
    """Where a rate warns and, when set, where it is critical."""

    warn: float
    critical: float | None = None


def _threshold_fields() -> Iterator[tuple[str, type, Any]]:
    for objective in OBJECTIVES:
        yield objective.name, Threshold, Threshold(objective.default)
        yield objective.minimum.name, int, objective.minimum.default


class Thresholds(defstruct("_", _threshold_fields(), frozen=True)):  # type: ignore[misc]
    """A Threshold for each objective and a number for each minimum, by their names.

    The defaults are the contract's.
    """

    def of(self, objective: Objective) -> Threshold:
        """Where that objective's rate warns and is critical."""
        threshold: Threshold = getattr(self, objective.name)
        return threshold

    def suffice(self, objective: Objective, section: object) -> bool:
        """Whether the section has as many rows as its rate takes to mean something."""
        counted: int = getattr(section, objective.minimum.figure)
        least: int = getattr(self, objective.minimum.name)
        return counted >= least


class Since(Struct, frozen=True):
    """Since when a rate is past a limit by the hour, or is no more; both None where no hour tells."""

    since: datetime | None = None
    quiet_since: datetime | None = None


class Hint(Struct, frozen=True):
    """One rate that is past its threshold: since when, by the hour, or since when it is no more."""

    code: Annotated[str, Meta(extra_json_schema={"enum": list(HINT_CODES)})]
    level: Level
    message: str
    since: Instant | None = None
    quiet_since: Instant | None = None


def slo_hints(
    sections: Mapping[str, object],
    thresholds: Thresholds,
    since: Callable[[Objective, float], Since] = lambda *_: Since(),
) -> tuple[Hint, ...]:
    """The hints of the sections whose rates are past their thresholds, in the contract's order.

    `since` tells when an objective was past a limit.
    """
    hints = (_hint(objective, sections[objective.section], thresholds, since) for objective in OBJECTIVES)
    return tuple(hint for hint in hints if hint is not None)


def _hint(
    objective: Objective,
    section: object,
    thresholds: Thresholds,
    since: Callable[[Objective, float], Since],
) -> Hint | None:
    rate = getattr(section, objective.rate)
    if rate is None or not thresholds.suffice(objective, section):
        return None
    for level in reversed(HINT_LEVELS):
        limit = getattr(thresholds.of(objective), level)
        if limit is not None and objective.is_past(rate, limit):
            message = objective.message.format(share=_plain(limit), percent=_plain(limit, 100))
            told = since(objective, limit)
            return Hint(objective.code, level, message, told.since, told.quiet_since)
    return None


def _plain(limit: float, times: int = 1) -> str:
    """A limit with all its digits and no more: 0.07 is 7 %, not 7.000000000000001."""
    return f"{(Decimal(repr(limit)) * times).normalize():f}"
