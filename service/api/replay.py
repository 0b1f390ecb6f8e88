"""Answers that stand ready: encoded once a tick, and replayed to whoever may have them.

A handler's answer is kept by path and query string. As long as its tick lasts, the same request is
answered with the same bytes, past the handler; the caller's own part (operator_id, ETag, encoding) is
added as it goes out.
"""

from collections.abc import Callable, Hashable
from hashlib import blake2b
from time import monotonic
from typing import Any

from cachetools import FIFOCache
from msgspec import Struct
from msgspec.json import encode

from service.api.context import RequestContext
from service.api.responses.body import Body
from service.api.responses.compression import MIN_BYTES, Packed, accepts_gzip, pack
from service.api.responses.etag import matches
from service.api.responses.raw import Header, RawResponse
from service.api.table import Endpoint, Q
from service.cache.parts import State
from service.cache.policy import Policy
from service.overview.overrides import NO_OVERRIDES, Overrides, overridden
from service.overview.slo import Thresholds
from service.snapshots import Dated

# Nobody asks the same longer question twice.
MAX_QUERY_BYTES = 1024
DIGEST_BYTES = 12
# Of an answer beside its body and its query: headers, and the parts that `stands` asks after.
FIXED_BYTES = 4096
# A tick's end makes every answer stale for a moment, and to look for a newer one takes longer than to
# answer: what was found to be the best there is, is that until something newer comes. But now and then one
# looks, for another process may have it, or what failed may be tried again.
LOOK_SECONDS = 1.0
# Whose answer it is lies in these two: a browser keeps it for whoever sends the same ones alone.
_VARY = (b"vary", b"Accept-Encoding, Authorization, Cookie")


class Answer(Struct):
    """A body as of a tick, its digest, and what could not be had for it.

    `found` is when a search for a newer one ended with it, by the clock and by the monotonic one; it
    was in `state` then, and `stands` while no newer one comes. `aged` are the headers that change by the
    second, and when they are of.
    """

    tick: int
    degraded: tuple[str, ...]
    kind: Body
    headers: list[Header]
    body: bytes
    digest: bytes
    state: State = "hit"
    found: tuple[float, float] | None = None
    stands: Callable[[float], bool] = lambda _: True
    aged: tuple[tuple[int, int], list[Header]] = ((-1, -1), [])
    _packed: Packed | None = None

    @property
    def cost(self) -> int:
        """What keeping it takes, in bytes; compressed, it may be there a second time."""
        return MAX_QUERY_BYTES + FIXED_BYTES + 2 * len(self.body)

    def packed(self, shared: int) -> Packed:
        """The first `shared` bytes of the body, compressed when somebody first asks for them."""
        if self._packed is None:
            self._packed = pack(self.body[:shared])
        return self._packed

    def is_best(self, now: float, tick: int) -> bool:
        """Whether it would be found again. A hit is none after its tick.

        When one looks again goes by both clocks: one may be set, and in tests stands still.
        """
        if self.found is None or (self.state == "hit" and self.tick != tick):
            return False
        then, moment = self.found
        is_recent = monotonic() - moment < LOOK_SECONDS and 0 <= now - then < LOOK_SECONDS
        return is_recent and self.stands(now)


class Replay:
    """Encoded answers of a tenant by path and query string, kept in its workspace.

    `clock` gives Unix seconds.
    """

    def __init__(self, policy: Policy, thresholds: Thresholds, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._thresholds = thresholds
        self._clock = clock

    def find(self, context: RequestContext) -> RawResponse | None:
        """The response that stands ready for a request, if there is one."""
        answer = _kept(context).get((context.path, context.query_string))
        if answer is None:
            return None
        tick = self._policy.tick(context.now)
        if answer.tick == tick and not answer.degraded:
            return self._response(context, answer, "hit")
        if answer.is_best(context.now, tick):
            return self._response(context, answer, answer.state)
        return None

    def answer(
        self, context: RequestContext, endpoint: Endpoint[Q], query: Q, dated: Dated[Any]
    ) -> RawResponse:
        """An endpoint's response of what was found for a query; it stands ready from now on.

        The same is not encoded twice: other requests may have had it encoded meanwhile, and while no newer
        value is found it stays as it is.
        """
        kept, key = _kept(context), (context.path, context.query_string)
        answer = kept.get(key)
        if answer is None or (answer.tick, answer.degraded) != (dated.tick, dated.degraded):
            overrides = endpoint.overrides(query)
            viewed = endpoint.view(dated, query, overridden(self._thresholds, overrides))
            answer = _answer(dated, endpoint.body(query), viewed, overrides)
            if len(context.query_string) <= MAX_QUERY_BYTES and answer.cost <= kept.maxsize:
                kept[key] = answer
        context.now = self._clock()  # who waited may wait for what is old after all: its age is of now
        if dated.state == "stale" or dated.degraded:
            answer.state = "stale" if dated.state == "stale" else "hit"
            answer.found, answer.stands = (context.now, monotonic()), dated.stands
        return self._response(context, answer, dated.state)

    def _response(self, context: RequestContext, answer: Answer, state: State) -> RawResponse:
        """The answer for the caller of that request, or 304 when it has the same already."""
        operator_id, kind, now = context.operator_id, answer.kind, context.now
        operator = b"" if operator_id is None else b"%d" % operator_id
        etag = b'W/"%b-%b"' % (answer.digest, operator)
        context.cache = state
        headers = [(b"etag", etag), *self._aged(answer, now), (b"x-cache", state.encode()), _VARY]
        if matches(context.header(b"if-none-match"), etag):
            return RawResponse(304, headers, b"")
        end = b""
        if kind.operator_in == "body":
            # The last field of a JSON object, in place of its brace: all else is the same for every caller.
            end = b',"operator_id":%b}' % (operator or b"null")
        elif kind.operator_in == "header" and operator:
            headers.append((b"x-operator-id", operator))
        shared = len(answer.body) - (1 if end else 0)
        if shared >= MIN_BYTES and accepts_gzip(context.header(b"accept-encoding")):
            headers.append((b"content-encoding", b"gzip"))
            body = answer.packed(shared).ended_with(end)
        else:
            body = answer.body[:shared] + end
        return RawResponse(200, [*answer.headers, (b"content-length", b"%d" % len(body)), *headers], body)

    def _aged(self, answer: Answer, now: float) -> list[Header]:
        """How old the answer is, and for how long it may be kept; both in whole seconds.

        A cache subtracts the one from the other (RFC 9111, 4.2): what is left goes to the next refresh.
        """
        until = self._policy.tick(now) + self._policy.refresh
        seconds = int(now - answer.tick), int(until - now)
        if answer.aged[0] != seconds:
            age, left = (max(0, number) for number in seconds)
            headers = [(b"cache-control", b"private, max-age=%d" % (age + left)), (b"age", b"%d" % age)]
            answer.aged = (seconds, headers)
        return answer.aged[1]


def _answer(dated: Dated[Any], kind: Body, viewed: Struct | bytes, overrides: Overrides) -> Answer:
    """Files do not say which limits they are by, so their digests do."""
    body = viewed if isinstance(viewed, bytes) else encode(viewed)
    digest = blake2b(body, digest_size=DIGEST_BYTES)
    if overrides != NO_OVERRIDES:
        digest.update(encode(overrides))
    headers = kind.headers(dated.value)
    return Answer(dated.tick, dated.degraded, kind, headers, body, digest.hexdigest().encode())


def _kept(context: RequestContext) -> FIFOCache[Hashable, Answer]:
    """Where a tenant's answers are: one that is asked for is put in anew each tick, so the first to come in
    is the one that nobody asks for.
    """
    return context.workspace.answers
