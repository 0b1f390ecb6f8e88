"""Encoded answers: how often a newer one is looked for."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from cachetools import FIFOCache

from service.api.context import RequestContext
from service.api.endpoints import HANDLERS
from service.api.parameters import Parameters
from service.api.replay import LOOK_SECONDS, Replay
from service.api.responses.body import Body
from service.api.responses.raw import RawResponse
from service.api.table import Endpoint
from service.cache.parts import State
from service.cache.policy import Policy
from service.overview.slo import Thresholds
from service.snapshots import Dated
from tests.support.waiting import until

TICK = 15
TEXT = Body("text/plain")
HANDLER = next(iter(HANDLERS))


@dataclass
class Handler:
    """What a search finds, how often one was made, and how often that was encoded."""

    found: Dated[str]
    now: float = 2.5 * TICK
    searches: int = 0
    encoded: int = 0
    waited: float = 0
    replay: Replay = field(init=False)
    workspace: Any = field(init=False)
    endpoint: Endpoint[None] = field(init=False)
    response: RawResponse = field(init=False)

    def __post_init__(self) -> None:
        self.replay = Replay(Policy(refresh=TICK), Thresholds(), lambda: self.now)
        self.workspace = SimpleNamespace(answers=FIFOCache(10**6, getsizeof=lambda answer: answer.cost))
        parameters = Parameters(lambda _: None)
        self.endpoint = Endpoint("/", "figures", "", parameters, {None: TEXT}, self._encode)

    def ask(self, query_string: bytes = b"") -> tuple[bytes, str]:
        """The body and how fresh it is, replayed or answered by the handler."""
        context = _context(query_string)
        context.now, context.workspace = self.now, self.workspace
        self.response = self.replay.find(context) or self._answer(context)
        return self.response.body, context.cache

    def _answer(self, context: RequestContext) -> RawResponse:
        self.searches += 1
        self.now += self.waited
        return self.replay.answer(context, self.endpoint, None, self.found)

    def _encode(self, found: Dated[Any], _query: None, _limits: Thresholds) -> bytes:
        self.encoded += 1
        text: str = found.value
        return text.encode()


def _context(query_string: bytes) -> RequestContext:
    scope: Any = {
        "method": "GET",
        "path": "/",
        "query_string": query_string,
        "headers": [],
        "scheme": "http",
        "client": None,
        "path_template": "/",
        "route_handler": HANDLER,
    }
    send: Any = None
    return RequestContext(scope, send)


def test_a_fresh_answer_is_looked_for_once_a_tick() -> None:
    handler = Handler(Dated("fresh", 2 * TICK, "miss"))
    states = [handler.ask()[1] for _ in range(3)]
    assert (states, handler.searches, handler.encoded) == (["miss", "hit", "hit"], 1, 1)


@pytest.mark.parametrize(
    ("dated", "state"),
    [
        (Dated("old", TICK, "stale"), "stale"),
        (Dated("whole but for a part", 2 * TICK, "miss", ("overlay_cache",)), "hit"),
    ],
    ids=["stale", "degraded"],
)
async def test_what_is_not_fresh_and_whole_is_looked_for_again_but_not_each_time(
    dated: Dated[str], state: str
) -> None:
    handler = Handler(dated)
    handler.ask()
    handler.found = Dated("fresh", 2 * TICK, "hit")
    assert handler.ask() == (dated.value.encode(), state)
    await until(lambda: handler.ask()[0] == b"fresh")
    assert handler.searches == 2


def test_what_something_newer_has_come_for_is_looked_for_at_once() -> None:
    newest = [TICK]
    handler = Handler(Dated("old", TICK, "stale", stands=lambda now: newest == [TICK] and now == handler.now))
    assert [handler.ask()[0] for _ in range(3)] == [b"old"] * 3
    assert handler.searches == 1
    newest[0] = 2 * TICK
    handler.found = Dated("fresh", 2 * TICK, "hit")
    assert handler.ask() == (b"fresh", "hit")
    assert handler.searches == 2


@pytest.mark.parametrize("state", ["hit", "stale", "miss"])
def test_who_has_waited_is_told_the_age_of_now(state: State) -> None:
    handler = Handler(Dated("any", 2 * TICK, state), 2 * TICK + 1.0, waited=7)
    handler.ask()
    assert (b"age", b"8") in handler.response.headers


def test_what_is_found_again_is_not_encoded_again() -> None:
    handler = Handler(Dated("old", TICK, "stale"))
    for _ in range(3):
        handler.ask()
        handler.now += 2 * LOOK_SECONDS
    assert (handler.searches, handler.encoded) == (3, 1)


@pytest.mark.parametrize("seconds", [2 * LOOK_SECONDS, -1.0], ids=["forward", "back"])
def test_a_clock_that_moves_ends_the_moment(seconds: float) -> None:
    handler = Handler(Dated("old", TICK, "stale"))
    handler.ask()
    handler.now += seconds
    handler.ask()
    assert handler.searches == 2


def test_a_hit_that_lacks_a_part_is_none_after_its_tick() -> None:
    handler = Handler(Dated("lacks a part", TICK, "miss", ("overlay_cache",)), 2 * TICK - 0.01)
    handler.ask()
    handler.now += 0.02
    handler.found = Dated("lacks a part", TICK, "stale", ("overlay_cache",))
    assert handler.ask()[1] == "stale"


def test_each_query_string_has_an_answer_of_its_own() -> None:
    handler = Handler(Dated("one", 2 * TICK, "hit"))
    handler.ask(b"one")
    handler.found = Dated("another", 2 * TICK, "hit")
    assert [handler.ask(query)[0] for query in (b"one", b"another")] == [b"one", b"another"]
