"""Encoded answers: how often a newer one is looked for."""

from dataclasses import dataclass

import pytest

from service.api.answers import AGAIN_SECONDS, Answers, Encoded
from service.cache.parts import State
from service.snapshots import Held
from tests.support.waiting import until

TICK = 15


@dataclass
class Times:
    """A clock that stands still until a test moves it."""

    now: float = 2.5 * TICK

    @property
    def tick(self) -> int:
        return int(self.now // TICK) * TICK


@dataclass
class Source:
    """What a search finds, and how often one was made."""

    found: Held[str]
    searches: int = 0

    async def read(self) -> Held[str]:
        self.searches += 1
        return self.found


async def ask(answers: Answers, source: Source) -> tuple[Encoded, State]:
    return await answers.get("key", source.read, lambda held: held.value.encode())


async def test_a_fresh_answer_is_looked_for_once_a_tick() -> None:
    times, source = Times(), Source(Held("fresh", 2 * TICK, "miss"))
    answers = Answers(times)
    states = [(await ask(answers, source))[1] for _ in range(3)]
    assert (states, source.searches) == (["miss", "hit", "hit"], 1)


@pytest.mark.parametrize(
    ("held", "state"),
    [
        (Held("old", TICK, "stale"), "stale"),
        (Held("whole but for a part", 2 * TICK, "miss", ("overlay_cache",)), "hit"),
    ],
    ids=["stale", "degraded"],
)
async def test_what_is_not_fresh_and_whole_is_looked_for_again_but_not_each_time(
    held: Held[str], state: State
) -> None:
    times, source = Times(), Source(held)
    answers = Answers(times)
    await ask(answers, source)
    source.found = Held("fresh", 2 * TICK, "hit")
    again, again_state = await ask(answers, source)
    assert (again.body, again_state) == (held.value.encode(), state)

    async def is_fresh() -> bool:
        return (await ask(answers, source))[0].body == b"fresh"

    await until(is_fresh)
    assert source.searches == 2


@pytest.mark.parametrize("seconds", [2 * AGAIN_SECONDS, -1.0], ids=["forward", "back"])
async def test_a_clock_that_moves_ends_the_moment(seconds: float) -> None:
    times, source = Times(), Source(Held("old", TICK, "stale"))
    answers = Answers(times)
    await ask(answers, source)
    times.now += seconds
    await ask(answers, source)
    assert source.searches == 2


async def test_a_hit_that_lacks_a_part_is_none_after_its_tick() -> None:
    times, source = Times(2 * TICK - 0.01), Source(Held("lacks a part", TICK, "miss", ("overlay_cache",)))
    answers = Answers(times)
    await ask(answers, source)
    times.now += 0.02
    source.found = Held("lacks a part", TICK, "stale", ("overlay_cache",))
    assert (await ask(answers, source))[1] == "stale"
