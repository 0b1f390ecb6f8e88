"""The database's share: what may be taken at a tick, and what is left of it."""

from collections.abc import Collection

import pytest

from service.cache.policy import Policy
from service.overview.sections import ConsumptionTemplates
from service.readings.account import Account, Rhythm, Share, Taken
from service.readings.grid import Grid
from service.readings.manifest import Listed, Manifest, Spending
from service.readings.recurrences import Recurrences
from service.sources.consumption_templates import Templates

RHYTHM = Rhythm(Policy(refresh=15, max_stale=300), Grid(15, 900), Share(0.1))
TICK = 1_773_135_000 // 86_400 * 86_400 + 43_200
TODAY = TICK // 86_400
NOTHING = Templates(ConsumptionTemplates(0, 0, 0, (), ()), ())
KNOWN = Recurrences(TICK, 15, {}, 6.0)


def manifest(tick: int, **spending: float) -> Manifest:
    return Manifest(tick, {}, KNOWN, NOTHING, Spending(**spending), tick + 15)


def shelf(seconds: float, days: int = 91) -> list[Listed]:
    return [Listed(TODAY - age, TICK, str(age), seconds) for age in range(days)]


def settled(account: Account, taken: Taken, days: float = 0.0, whole: Collection[str] = ()) -> Spending:
    return account.settled(taken, {"doc_sync": shelf(days)}, KNOWN, whole)


@pytest.mark.parametrize(
    ("balance", "seconds", "budget"),
    [(0.0, 15, 1.5), (2.0, 15, 3.5), (5.0, 15, 6.0), (-6.0, 15, -4.5), (0.0, 3600, 6.0), (0.5, 0, 0.5)],
)
def test_what_was_left_and_the_time_since_make_the_budget_of_a_minute_at_most(
    balance: float, seconds: int, budget: float
) -> None:
    account = Account(RHYTHM, manifest(TICK - seconds, balance=balance), TICK)
    assert account.for_days == pytest.approx(budget)


def test_templates_are_paid_first() -> None:
    account = Account(RHYTHM, manifest(TICK - 15, templates=0.4), TICK)
    assert account.for_days == pytest.approx(1.1)


@pytest.mark.parametrize(("taken", "left"), [(1.0, 0.5), (1.5, 0.0), (4.0, -2.5), (100.0, -6.0)])
def test_what_is_taken_beyond_it_is_paid_back_up_to_a_minutes_share(taken: float, left: float) -> None:
    account = Account(RHYTHM, manifest(TICK - 15), TICK)
    spent = settled(account, Taken(taken / 4, taken / 4, taken / 2))
    assert spent.balance == pytest.approx(left)


def test_the_first_reading_is_not_counted() -> None:
    spent = settled(Account(RHYTHM, None, TICK), Taken(1.0, 2.0, 30.0))
    assert (spent.balance, spent.taken, spent.templates) == (0.0, 0.0, 1.0)


def test_templates_are_a_moving_average() -> None:
    account = Account(RHYTHM, manifest(TICK - 15, templates=1.0), TICK)
    assert settled(account, Taken(2.0, 0.0, 0.0)).templates == pytest.approx(1.3)
    assert settled(account, Taken(0.5, 0.0, 0.0)).templates == pytest.approx(0.5)


def test_what_is_needed_are_two_days_a_tick_and_all_others_once_in_a_horizon() -> None:
    account = Account(RHYTHM, manifest(TICK - 15, templates=0.3), TICK)
    spent = settled(account, Taken(0.3, 0.0, 0.0), days=0.6)
    # Templates, recurring descriptions once in 60 ticks, two days, 89 days once in 60 ticks.
    assert spent.needed == pytest.approx((0.3 + 6.0 / 60 + 2 * 0.6 + 89 * 0.6 / 60) / 15)


def test_what_is_read_whole_is_needed_at_each_tick() -> None:
    account = Account(RHYTHM, manifest(TICK - 15), TICK)
    spent = settled(account, Taken(0.0, 0.0, 0.0), 0.01, {"doc_sync", "breakages"})
    assert spent.needed == pytest.approx((6.0 + 91 * 0.01) / 15)


def test_the_cores_taken_of_late_follow_what_is_taken() -> None:
    spending = Spending()
    for tick in range(TICK, TICK + 20 * 15, 15):
        before = Manifest(tick - 15, {}, KNOWN, NOTHING, spending, tick)
        spending = settled(Account(RHYTHM, before, tick), Taken(0.0, 0.0, 3.0))
        if tick == TICK:
            assert spending.taken == pytest.approx(0.2 * 0.2212, rel=0.01)  # 1 - exp(-15 / 60)
    assert spending.taken == pytest.approx(0.2, rel=0.01)


@pytest.mark.parametrize(
    ("needed", "whole", "later"),
    [
        (0.05, {"doc_sync"}, 15),
        (0.1, {"doc_sync"}, 15),
        (0.11, {"doc_sync"}, 30),
        (0.75, {"doc_sync"}, 120),
        (2.0, {"doc_sync"}, 180),
        (50.0, {"doc_sync"}, 150),
        (50.0, set(), 15),
    ],
)
def test_tables_that_are_read_whole_are_read_as_seldom_as_the_share_demands(
    needed: float, whole: set[str], later: int
) -> None:
    for before in (manifest(TICK - 15), None):
        assert Account(RHYTHM, before, TICK).again_at(Spending(needed=needed), whole) == TICK + later


@pytest.mark.parametrize(
    ("needed", "parts", "cores"),
    [(0.1, 1, 0.12), (0.25, 3, 0.9), (0.001, 1, 0.01), (0.0, 1, 0.01), (160 / 3, 1, 64.0), (53.5, 1, None)],
)
def test_a_share_that_fits_has_a_fifth_to_spare_for_every_part_and_can_be_set(
    needed: float, parts: int, cores: float | None
) -> None:
    assert Share(0.1, lambda: parts).fitting(needed) == cores


def test_a_part_is_an_equal_one() -> None:
    assert Share(0.6, lambda: 3).part == pytest.approx(0.2)
