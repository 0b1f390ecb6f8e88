"""Objectives: which rates have limits and where these stand, and the hints of rates that are past them.

OBJECTIVES says it once: settings, thresholds, hints, gauges and the board are made from it.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, defstruct

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
    """A rate of a section that shall stay on one side of its limits.

    `name` is that of its thresholds. `message` names the limit that is passed as {share} or {percent}.
    `default` is where it warns; critical it is nowhere unless that is set, to `critical_example` for one.
    """

    code: str
    name: str
    section: str
    rate: str
    direction: Literal["above", "below"] = "above"
    message: str
    default: float
    critical_example: float
    minimum: Minimum


OBJECTIVES = (
    Objective(
        code="overlay_cache_hit_rate_low",
        name="overlay_cache_hit_rate",
        section="overlay_cache",
        rate="hit_rate",
        direction="below",
        message="Overlay cache hit rate is below {share} in the selected window",
        default=0.8,
        critical_example=0.5,
        minimum=Minimum("overlay_cache_min_requests", "requests", 10, is_told=True),
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
HINT_CODES = tuple(objective.code for objective in OBJECTIVES)


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


class Hint(Struct, frozen=True):
    """One rate that is past its threshold."""

    code: Annotated[str, Meta(extra_json_schema={"enum": list(HINT_CODES)})]
    level: Level
    message: str


def slo_hints(sections: Mapping[str, object], thresholds: Thresholds) -> tuple[Hint, ...]:
    """The hints of the sections whose rates are past their thresholds, in the contract's order."""
    hints = (_hint(objective, sections[objective.section], thresholds) for objective in OBJECTIVES)
    return tuple(hint for hint in hints if hint is not None)


def _hint(objective: Objective, section: object, thresholds: Thresholds) -> Hint | None:
    rate = getattr(section, objective.rate)
    if rate is None or not thresholds.suffice(objective, section):
        return None
    for level in reversed(HINT_LEVELS):
        limit = getattr(thresholds.of(objective), level)
        if limit is not None and (rate < limit if objective.direction == "below" else rate > limit):
            message = objective.message.format(share=_plain(limit), percent=_plain(limit, 100))
            return Hint(objective.code, level, message)
    return None


def _plain(limit: float, times: int = 1) -> str:
    """A limit with all its digits and no more: 0.07 is 7 %, not 7.000000000000001."""
    text = f"{Decimal(repr(limit)) * times:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
