"""Steady load: many clients who ask all day, each with a token and a cache of its own."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.checker import Checker
from tests.faults.client import Answer, Broken, Client
from tests.faults.questions import Question, Reading
from tests.support.tokens import bearer, claims, token

INTERVAL_SECONDS = 0.1
KEEPS_SHARE = 0.4
PACKED_SHARE = 0.3


@dataclass(frozen=True)
class Address:
    """A port that clients ask, and what it is: the balancer, or one instance."""

    name: str
    port: int


class Caller:
    """Somebody with a token who asks through one address and has every answer checked."""

    def __init__(
        self, operator: int, address: Address, checker: Checker, questions: Sequence[Question]
    ) -> None:
        self.operator = operator
        self.questions = questions
        self.address = address
        self.broken = 0
        self._checker = checker
        self._client = Client(address.port)
        self._token = bearer(token(claims(sub=str(operator))))
        self._kept: dict[Question, Answer] = {}
        self._random = Random(operator)

    async def ask(self, question: Question) -> tuple[Answer, Reading | None]:
        """Ask once, and have the answer checked and read, if it can be. Raises Broken."""
        kept = self._kept.get(question) if self._random.random() < KEEPS_SHARE else None
        headers = dict(self._token)
        if kept is not None:
            headers["If-None-Match"] = kept.headers["etag"]
        if self._random.random() < PACKED_SHARE:
            headers["Accept-Encoding"] = "gzip"
        answer = await self._client.get(question.target, headers)
        reading = self._checker.check(question, self.operator, answer, kept)
        if answer.status == 200:
            self._kept[question] = answer
        return answer, reading

    async def keep_asking(self, interval: float, broken: Counter[str]) -> None:
        """Ask every `interval` seconds until cancelled; what got no answer is counted by address."""
        try:
            while True:
                started = time.monotonic()
                try:
                    await self.ask(self._random.choice(self.questions))
                except Broken:
                    broken[self.address.name] += 1
                await asyncio.sleep(max(0.0, started + interval - time.monotonic()))
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._client.close()


class Load:
    """Callers who ask until the load is stopped. `broken` counts requests without an answer by address."""

    def __init__(self, callers: list[Caller], interval: float = INTERVAL_SECONDS) -> None:
        self.broken: Counter[str] = Counter()
        self._callers = callers
        self._interval = interval
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Let all of them ask."""
        self._tasks = [
            asyncio.create_task(caller.keep_asking(self._interval, self.broken)) for caller in self._callers
        ]

    async def stop(self) -> None:
        """Let them go. Raises what ended any of them early."""
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in results:
            if not isinstance(result, asyncio.CancelledError) and result is not None:
                raise result
