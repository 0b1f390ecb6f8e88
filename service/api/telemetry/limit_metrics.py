"""Where the objectives' limits stand, for a dashboard to draw beside the rates."""

from collections.abc import Callable

from prometheus_client import Gauge

from service.overview.slo import HINT_LEVELS, OBJECTIVES, Thresholds


def show_limits(family: Callable[..., Gauge], thresholds: Thresholds) -> None:
    """A gauge by code and level; a level that has no limit has no sample."""
    limits = family(
        Gauge,
        "slo_limit",
        "The limit of a rate, as a share: where it warns, and where it is critical if that is set.",
        *("code", "level"),
        multiprocess_mode="livemax",
    )
    for objective in OBJECTIVES:
        for level in HINT_LEVELS:
            limit = getattr(thresholds.of(objective), level)
            if limit is not None:
                limits.labels(objective.code, level).set(limit)
