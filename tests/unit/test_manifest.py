"""What belongs to a tick is told by its manifest: names, the oldest reading, and where it stands in Redis."""

from zoneinfo import ZoneInfo

from service.cache.entry import decode, encode
from service.overview.sections import ConsumptionTemplates
from service.readings.grid import Grid
from service.readings.manifest import Listed, Manifest, Spending, decoder, manifest_key
from service.readings.recurrences import Recurrences
from service.sources.consumption_templates import Templates
from tests.support.day_rows import TICK, TODAY

NO_TEMPLATES = Templates(ConsumptionTemplates(0, 0, 0, (), ()), ())
NOTHING_RECURS = Recurrences(TICK - 15, 15, {1: [0]}, 0.0)


def manifest(*listed: Listed, recurrences: Recurrences = NOTHING_RECURS) -> Manifest:
    days = {"jobs": listed[:1], "runs": listed[1:]}
    return Manifest(TICK, days, recurrences, NO_TEMPLATES, Spending(), TICK + 60)


LISTED = (
    Listed(TODAY, TICK, "a", 0.5),
    Listed(TODAY, TICK - 30, "b", 0.5),
    Listed(TODAY - 1, TICK - 60, "c", 1.5),
)


def test_the_names_and_the_oldest_reading_are_those_of_all_sections() -> None:
    assert manifest(*LISTED).ids == {"a", "b", "c"}
    assert manifest(*LISTED).oldest == TICK - 60
    older = Recurrences(TICK - 90, 15, {1: [0]}, 0.0)
    assert manifest(*LISTED, recurrences=older).oldest == TICK - 90


def test_it_comes_out_of_redis_as_it_went_in() -> None:
    raw = encode("key", TICK, 1.5, manifest(*LISTED))
    assert decode(raw, "key", TICK, decoder).value == manifest(*LISTED)


def test_nothing_is_spent_of_a_share_before_anything_is_read() -> None:
    assert Spending() == Spending(balance=0.0, templates=0.0, needed=0.0, taken=0.0)
    assert manifest().replaced == ()


def test_instances_of_other_ticks_or_zones_have_keys_of_their_own() -> None:
    grids = (Grid(15, 900), Grid(30, 900), Grid(15, 900, ZoneInfo("Asia/Shanghai")))
    keys = [manifest_key(grid, "acme") for grid in grids]
    assert keys[0] == "parallel-ops:{acme}:v1:readings:refresh=15:zone=UTC"
    assert len(set(keys)) == 3
    assert manifest_key(Grid(15, 60), "acme") == keys[0]
