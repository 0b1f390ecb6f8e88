"""The strip of error budgets: what is spent, how fast, and how long the rest lasts."""

from msgspec import Struct

from service.dashboard.layouts import SECTIONS
from service.overview.budgets import Budget, each_of
from service.overview.clock import MONTH_DAYS
from service.overview.sections import Snapshot
from service.overview.slo import BY_CODE, Thresholds

MONTH_HOURS = MONTH_DAYS * 24


class Spending(Struct, frozen=True):
    """A budget, of which section's rate it is, and how it is meant.

    `level` is no_data, critical (nothing is left), warn (it runs out within a month) or ok. `outlook` says
    the same of its end: gone, ends or lasts, or why nobody knows: unread (a first look reads only its
    window's days), away (its source cannot be had) or unknown (without data).
    """

    section: str
    rate: str
    budget: Budget
    level: str
    outlook: str


def spendings(snapshot: Snapshot, thresholds: Thresholds) -> tuple[Spending, ...]:
    """The budgets of a snapshot in the order of the panels."""
    found = (_spending(budget, snapshot) for budget in each_of(snapshot, thresholds))
    return tuple(sorted(found, key=lambda each: SECTIONS.index(each.section)))


def _spending(budget: Budget, snapshot: Snapshot) -> Spending:
    objective = BY_CODE[budget.code]
    outlook = _outlook(budget, is_away=objective.section in snapshot.degraded)
    return Spending(objective.section, objective.rate, budget, _LEVELS.get(outlook, "no_data"), outlook)


_LEVELS = {"gone": "critical", "ends": "warn", "lasts": "ok"}


def _outlook(budget: Budget, *, is_away: bool) -> str:
    """Where the last day has no data, nobody knows how long the rest lasts, and nothing is fine."""
    if budget.total is None or is_away:
        return "away" if is_away else "unread"
    if budget.failed and budget.failed >= (budget.allowed or 0):
        return "gone"
    if budget.spent is None or budget.burn_rates["1d"] is None:
        return "unknown"
    hours = budget.exhausted_in_hours
    return "lasts" if hours is None or hours > MONTH_HOURS else "ends"
