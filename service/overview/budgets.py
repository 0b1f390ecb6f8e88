"""Error budgets: how much of what may fail in a month has failed, and how fast that goes.

A burn rate of 1 spends exactly the budget: see "Alerting on SLOs", chapter 5 of Google's Site Reliability
Workbook.
"""

from decimal import Decimal
from math import isfinite

from msgspec import Struct

from service.overview.clock import MONTH_DAYS
from service.overview.hourly import burnt, hours_of
from service.overview.sections import Snapshot
from service.overview.slo import OBJECTIVES, Objective, Thresholds
from service.overview.summary import rate
from service.overview.times import Instant

# The hours that a burn rate is over, by its name.
OVER = {"1h": 1, "6h": 6, "1d": 24, "3d": 72, "7d": 168}
BUDGETED = tuple(objective for objective in OBJECTIVES if objective.failures is not None)


class Budget(Struct, frozen=True):
    """The error budget of one objective. `allowed` is how many may fail of as many as there were.

    `spent` is the part of it that is gone, `exhausted_in_hours` when the rest will be at the last day's pace,
    if ever. What has no data is null.
    """

    code: str
    limit: float
    window_days: int
    total: int | None
    failed: int | None
    allowed: float | None
    spent: float | None
    burn_rates: dict[str, float | None]
    exhausted_in_hours: float | None


class BudgetFilters(Struct, frozen=True):
    """What the budgets are kept to."""

    site_id: str | None
    target_object: str | None


class Budgets(Struct, frozen=True):
    """The error budgets of all objectives that have one."""

    generated_at: Instant
    filters: BudgetFilters
    budgets: tuple[Budget, ...]
    oldest_reading: Instant
    degraded: tuple[str, ...]


def budgets_of(snapshot: Snapshot, thresholds: Thresholds) -> Budgets:
    """The budgets of a snapshot, of whichever window."""
    filters = snapshot.query.filters
    return Budgets(
        generated_at=snapshot.instant,
        filters=BudgetFilters(filters.site_id, filters.target_object),
        budgets=each_of(snapshot, thresholds),
        oldest_reading=snapshot.oldest_reading,
        degraded=snapshot.degraded,
    )


def each_of(snapshot: Snapshot, thresholds: Thresholds) -> tuple[Budget, ...]:
    """The budget of each objective that has one, in their order."""
    return tuple(_budget(snapshot, objective, thresholds) for objective in BUDGETED)


def _budget(snapshot: Snapshot, objective: Objective, thresholds: Thresholds) -> Budget:
    limit = _limit(objective, thresholds)
    month = getattr(snapshot, objective.section).month
    total, failed = (None, None) if month is None else objective.counted(month)
    allowed = None if total is None else float(limit * total)
    spent = _quotient(failed, allowed)
    burn_rates = _burn_rates(snapshot, objective, float(limit))
    return Budget(
        code=objective.code,
        limit=float(limit),
        window_days=MONTH_DAYS,
        total=total,
        failed=failed,
        allowed=allowed,
        spent=spent,
        burn_rates=burn_rates,
        exhausted_in_hours=_exhausted_in(spent, burn_rates["1d"]),
    )


def _limit(objective: Objective, thresholds: Thresholds) -> Decimal:
    """What part may fail, as people count: of 100 lookups of which 80 shall hit, 20 and no hair less."""
    warn = Decimal(repr(thresholds.of(objective).warn))
    return 1 - warn if objective.is_floor else warn


def _burn_rates(snapshot: Snapshot, objective: Objective, limit: float) -> dict[str, float | None]:
    hours = hours_of(snapshot, objective)
    sums = {name: burnt(hours[-many:]) for name, many in OVER.items()}
    return {name: _quotient(rate(failed, total), limit) for name, (total, failed) in sums.items()}


def _quotient(part: float | None, whole: float | None) -> float | None:
    """Null without data, and where nothing may fail, or next to nothing: that has no parts."""
    quotient = None if part is None or not whole else part / whole
    return quotient if quotient is not None and isfinite(quotient) else None


def _exhausted_in(spent: float | None, burn_rate: float | None) -> float | None:
    """The hours until a budget is spent, if as many come as before; None when it does not run out."""
    if spent is None:
        return None
    if spent >= 1:
        return 0.0
    return (1 - spent) * MONTH_DAYS * 24 / burn_rate if burn_rate else None
