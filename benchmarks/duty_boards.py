"""The duty boards: each asks for a summary and for trends every 15 seconds; the instances take turns."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import product
from urllib.parse import urlencode

import httpx
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from service.api.table import PREFIX
from service.overview.query import WINDOW_DAYS
from tests.support.tokens import bearer, token

EVERY_SECONDS = 15
LONGEST_SECONDS = 60
SITES = (None, *(f"S-{number:02}" for number in range(1, 26)))
BOARDS = [
    {"window_days": days} | ({"site_id": site} if site else {}) for site, days in product(SITES, WINDOW_DAYS)
]
QUESTIONS = [f"{PREFIX}/{what}?{urlencode(board)}" for board in BOARDS for what in ("summary", "trends")]


class Body(Struct, frozen=True):
    """What is looked at of a body."""

    generated_at: datetime
    oldest_reading: datetime


class Answer(Struct, frozen=True):
    """One answer, in seconds: when it was asked for, by the monotonic clock, and how long that took.

    Its status is 0 where the connection was lost. A good one has a state, which is its X-Cache, and ages as
    it came in: its own and its oldest reading's.
    """

    asked: float
    waited: float
    status: int
    state: str = ""
    age: float = 0.0
    oldest: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it was 200."""
        return self.status == httpx.codes.OK


class Boards:
    """All boards together: `answers` holds what they were told, `lost` why there was none."""

    def __init__(self, client: httpx.AsyncClient, instances: Sequence[str]) -> None:
        self.answers: list[Answer] = []
        self.lost: list[httpx.HTTPError] = []
        self._client = client
        self._instances = instances
        self._body = msgspec.json.Decoder(Body)

    async def watch(self, seconds: float) -> None:
        """Ask for so long, at even distances, without waiting for answers; then for those still missing."""
        start, pause = time.monotonic(), EVERY_SECONDS / len(QUESTIONS)
        async with asyncio.TaskGroup() as asking:
            for number in range(round(seconds / pause)):
                await asyncio.sleep(start + number * pause - time.monotonic())
                instance = self._instances[number % len(self._instances)]
                asking.create_task(self._ask(instance + QUESTIONS[number % len(QUESTIONS)]))

    async def _ask(self, url: str) -> None:
        asked = time.monotonic()
        try:
            response = await self._client.get(url)
        except httpx.HTTPError as error:
            self.lost.append(error)
            self.answers.append(Answer(asked, time.monotonic() - asked, 0))
            return
        arrived, waited = time.time(), time.monotonic() - asked
        answer = Answer(asked, waited, response.status_code)
        if answer.good:
            body = self._body.decode(response.content)
            answer = replace(
                answer,
                state=response.headers["x-cache"],
                age=arrived - body.generated_at.timestamp(),
                oldest=arrived - body.oldest_reading.timestamp(),
            )
        self.answers.append(answer)


@asynccontextmanager
async def boards(instances: Sequence[str]) -> AsyncIterator[Boards]:
    """The boards before these instances, which are on this machine."""
    limits = httpx.Limits(max_connections=len(QUESTIONS) * LONGEST_SECONDS // EVERY_SECONDS)
    async with httpx.AsyncClient(headers=bearer(token()), timeout=LONGEST_SECONDS, limits=limits) as client:
        yield Boards(client, instances)
