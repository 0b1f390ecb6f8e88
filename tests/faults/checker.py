"""What every answer must be, whatever is broken at that moment.

An answer as of a tick holds sections. Each was read by one statement at some moment from the tick's
beginning on until the answer came, so it equals a generation that was visible then, in all its figures.
Sections are read side by side and may have seen different ones. A tick's section never changes: not in
one process, and not between processes that share a Redis that keeps what it is given.

Where days are read in turn, what holds for a section holds for each day of it; all but the newest may have
been read at an earlier tick, not before the oldest reading that the answer names.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from math import inf

from cachetools import LRUCache

from tests.faults.client import Answer
from tests.faults.generations import History
from tests.faults.questions import NEWEST, Question, Reading, expected, read

# What a fault may excuse: no answer at all, one that takes long because an instance stood still, no
# overlay counters, and processes that differ in a tick.
EXCUSES = UNAVAILABLE, LATE, DEGRADED, APART = "unavailable", "late", "degraded", "apart"
# A request may cross the loop's other work on either side; clocks are the same.
SLACK_SECONDS = 1.0
# Versions of answers, each of one caller, that are given again and again until their next tick.
COMPARED = 300

Fits = dict[str, dict[int, bool]]


@dataclass(frozen=True)
class Bounds:
    """The settings that answers are held to, in seconds; `answer` is the longest that one may take.

    Days that were read longer ago than `old_days` before an answer's tick are in none.
    """

    refresh: int
    max_stale: float
    answer: float
    old_days: float


@dataclass
class Seen:
    """What was seen since somebody last looked; `oldest_reading` is the most seconds before a tick."""

    answers: Counter[str] = field(default_factory=Counter)
    oldest: float = 0.0
    slowest: float = 0.0
    oldest_reading: float = 0.0

    def shows(self, *kinds: str) -> bool:
        """Whether there was at least one answer of each kind: 503, 429, 304, stale, degraded, ..."""
        return all(self.answers[kind] for kind in kinds)


class Checker:
    """Checks answers one by one; `wrong` holds what was wrong, in words."""

    def __init__(self, bounds: Bounds, rows: History, overlay: History) -> None:
        self.bounds = bounds
        self.wrong: list[str] = []
        self.seen = Seen()
        # Until when each excuse holds; answers as of an earlier tick may show it later.
        self._excused = dict.fromkeys(EXCUSES, 0.0)
        self._rows = rows
        self._overlay = overlay
        self._agreed: dict[tuple[object, ...], set[int]] = {}
        self._bodies: dict[tuple[object, ...], bytes] = {}
        # By version of an answer, section and generation. What compares on and on takes the processor from
        # those it checks, and then they are late.
        self._compared: LRUCache[tuple[object, ...], Fits] = LRUCache(COMPARED)

    def excuse(self, *excuses: str) -> None:
        """Excuse some things from now on, until `strict`, and look at what is seen from now on."""
        self.seen = Seen()
        self._excused.update(dict.fromkeys(excuses, inf))

    def strict(self, since: float) -> None:
        """Excuse nothing any more in answers as of a tick that began at `since` or later."""
        self._excused = {name: min(until, since) for name, until in self._excused.items()}

    def check(self, question: Question, operator: int, answer: Answer, kept: Answer | None) -> Reading | None:
        """Check one answer; `kept` is the one whose ETag the request named, if it named one."""
        try:
            return self._checked(question, operator, answer, kept)
        except AssertionError as error:
            where = f"{question.target} at {answer.sent:.3f}: {answer.status} {dict(answer.headers)}"
            self.wrong.append(f"{error} | {where} | {answer.body[:2000]!r}")
            return None

    def _checked(
        self, question: Question, operator: int, answer: Answer, kept: Answer | None
    ) -> Reading | None:
        seconds = answer.received - answer.sent
        self.seen.answers[str(answer.status)] += 1
        self.seen.slowest = max(self.seen.slowest, seconds)
        in_time = seconds <= self.bounds.answer + SLACK_SECONDS or answer.sent < self._excused[LATE]
        assert in_time, f"took {seconds:.2f} s"
        if answer.status in (429, 503):
            self._check_refusal(answer)
            return None
        assert answer.status in (200, 304), "a status that nobody promised"
        etag = answer.headers["etag"]
        if answer.status == 304:
            assert kept is not None, "304 without a condition"
            assert (etag, answer.body) == (kept.headers["etag"], b""), "304 for something else"
        else:
            digest = blake2b(answer.body).digest()
            known = self._bodies.setdefault((operator, question.target, etag), digest)
            assert known == digest, "another body under the same ETag"
        whole = answer if kept is None or answer.status == 200 else kept
        reading = read(question, whole.headers["content-type"], whole.body)
        assert reading.operator_id in (None, operator), "somebody else's answer"
        self._check_age(answer, reading)
        self._check_figures(question, operator, answer, reading)
        return reading

    def _check_refusal(self, answer: Answer) -> None:
        detail = json.loads(answer.body)["detail"]
        code = {429: "parallel_ops_rate_limited", 503: "parallel_ops_unavailable"}[answer.status]
        assert (detail["code"], detail["context"]) == (code, {}), "a refusal that nobody promised"
        assert int(answer.headers["retry-after"]) > 0, "no Retry-After"
        assert answer.headers["cache-control"] == "no-store", "a refusal that may be kept"
        assert answer.status != 503 or answer.sent < self._excused[UNAVAILABLE], "503 without need"

    def _check_age(self, answer: Answer, reading: Reading) -> None:
        age, state = int(answer.headers["age"]), answer.headers["x-cache"]
        self.seen.answers[state] += 1
        self.seen.oldest = max(self.seen.oldest, age)
        assert state in ("hit", "stale", "miss"), "an unknown X-Cache"
        assert 0 <= age <= self.bounds.max_stale, f"{age} s old"
        if reading.tick is None:
            return
        assert reading.tick % self.bounds.refresh == 0, "not as of a tick"
        now = reading.tick + age
        assert answer.sent - 1.01 <= now <= answer.received + 0.01, f"Age is {age}, of {reading.tick}"
        current = answer.sent - answer.sent % self.bounds.refresh
        assert state != "hit" or reading.tick >= current, "a hit of an earlier tick"

    def _check_figures(self, question: Question, operator: int, answer: Answer, reading: Reading) -> None:
        tick = self._tick(answer, reading)
        version = (operator, question.target, answer.headers["etag"], tick)
        compared = self._compared.setdefault(version, {})
        degraded = bool(reading.degraded)
        self.seen.answers["degraded"] += degraded
        assert reading.degraded in (None, [], ["overlay_cache"]), "lacks what it must not lack"
        assert not degraded or tick < self._excused[DEGRADED], "degraded without need"
        oldest = tick if reading.oldest is None else reading.oldest
        self.seen.oldest_reading = max(self.seen.oldest_reading, tick - oldest)
        assert tick - self.bounds.old_days <= oldest <= tick, f"the oldest reading is of {oldest}"
        by_days, newest = (set(self._rows.visible(since, answer.received)) for since in (oldest, tick))
        for section, said in reading.sections.items():
            if section == "overlay_cache":
                candidates = self._overlay_candidates(tick, answer, reading)
            else:
                candidates = newest if section.endswith(NEWEST) else by_days
            known = compared.setdefault(section, {})
            known |= {n: expected(question, section, n, tick) == said for n in candidates - known.keys()}
            fitting = {n for n in candidates if known[n]}
            assert fitting, f"{section} fits none of the generations {sorted(candidates)}"
            if reading.tick is not None and not (section == "overlay_cache" and 0 in fitting):
                self._check_agreement(tick, answer, question.depends_on(section), fitting)

    def _overlay_candidates(self, tick: int, answer: Answer, reading: Reading) -> set[int]:
        """Zeros are told as such, where an answer has a field for that."""
        if reading.degraded:
            return {0}
        visible = set(self._overlay.visible(tick, answer.received))
        untold = reading.degraded is None and tick < self._excused[DEGRADED]
        return visible | {0} if untold else visible

    def _check_agreement(
        self, tick: int, answer: Answer, part: tuple[object, ...], fitting: set[int]
    ) -> None:
        """All answers of a tick agree; those of one process, where processes may differ.

        Request ids tell the process. A balancer makes its own, so what came through it then has no peer.
        """
        process = "all"
        if tick < self._excused[APART]:
            process = answer.headers["x-request-id"].rpartition("-")[0]
            if not process:
                return
        agreed = self._agreed.setdefault((tick, process, *part), set(fitting))
        agreed &= fitting
        assert agreed, f"{part} of {tick} was another generation before"

    def _tick(self, answer: Answer, reading: Reading) -> int:
        """The answer's tick; for one that does not name it, the earliest that its age leaves open."""
        if reading.tick is not None:
            return reading.tick
        first = answer.sent - int(answer.headers["age"]) - 1
        return int(-(-first // self.bounds.refresh)) * self.bounds.refresh
