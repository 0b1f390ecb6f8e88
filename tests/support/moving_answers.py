"""Questions that are asked while the clock moves on, and the contract's answers to them."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from tests import oracle
from tests.oracle import NO_OVERLAY, Document, Overlay
from tests.support.api import PREFIX
from tests.support.builders import Database
from tests.support.clock import Clock
from tests.support.waiting import until


@dataclass(frozen=True)
class Question:
    """A summary, alerts, or trends by the day, of a window and two filters."""

    path: str
    window_days: int
    site_id: str | None = None
    target_object: str | None = None

    def parameters(self) -> dict[str, str]:
        """What is sent."""
        named = {name: value for name, value in vars(self).items() if name != "path" and value is not None}
        if self.path == "/trends":
            named["bucket_days"] = 1
        return {name: str(value) for name, value in named.items()}

    def expected(self, rows: Database, instant: datetime, overlay: Overlay | None) -> Document:
        """The contract's answer."""
        query = oracle.Query(self.window_days, self.site_id, self.target_object)
        if self.path == "/trends":
            return oracle.trends(rows, instant, overlay, query, oracle.Buckets())
        if self.path == "/alerts":
            return oracle.alerts(rows, instant, overlay, query)
        return oracle.summary(rows, instant, overlay, query)


async def ask(client: httpx.AsyncClient, question: Question) -> Document:
    """An answer, of whichever tick."""
    response = await client.get(PREFIX + question.path, params=question.parameters())
    assert response.status_code == 200, (question, response.text)
    document: Document = response.json()
    return document


async def ask_now(client: httpx.AsyncClient, clock: Clock, questions: Iterable[Question]) -> list[Document]:
    """The answers of the present moment, at which a tick begins; older ones may be served meanwhile."""

    async def one(question: Question) -> Document:
        found: Document = {}

        async def is_of_now() -> bool:
            found.update(await ask(client, question))
            return generated_at(found).timestamp() == clock.now

        await until(is_of_now)
        return found

    return list(await asyncio.gather(*map(one, questions)))


def assert_right(
    questions: Sequence[Question],
    answers: Sequence[Document],
    rows: Database,
    oldest: float,
    overlay: Overlay | None = NO_OVERLAY,
) -> None:
    """Every answer is the contract's, and nothing in it was read more than `oldest` seconds before it."""
    for question, answer in zip(questions, answers, strict=True):
        expected = question.expected(rows, generated_at(answer), overlay)
        age = age_of(answer)
        assert timedelta(0) <= age <= timedelta(seconds=oldest), (question, age)
        if written(answer) != written(expected):
            assert indented(answer) == indented(expected), question


def age_of(answer: Document) -> timedelta:
    """How long before the answer its oldest reading was made."""
    return generated_at(answer) - datetime.fromisoformat(answer["oldest_reading"])


def generated_at(answer: Document) -> datetime:
    """The instant that an answer is as of."""
    return datetime.fromisoformat(answer["generated_at"])


def written(answer: Document) -> str:
    """An answer as text, so that the order of keys counts; without the time of its oldest reading."""
    return json.dumps({**answer, "oldest_reading": "some time"})


def indented(answer: Document) -> str:
    """The same, to be looked at."""
    return json.dumps(json.loads(written(answer)), indent=1)
