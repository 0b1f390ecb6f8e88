"""What the board's page tells beside its figures, read without a browser, by the clock of a time zone."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job, run
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.html import Element, page_of
from tests.support.reads import know_all_days

HOSTILE = """A&B "><b>'"""
HOUR = timedelta(hours=1)


async def board(client: httpx.AsyncClient, **view: str) -> Element:
    response = await client.get("/", params={"lang": "en", **view})
    assert response.status_code == 200
    return page_of(response.text)


def jobs(hours_ago: float, dead: int, fine: int, **payload: Any) -> list[Any]:  # noqa: ANN401
    """So many dead letters and completed jobs of a site."""
    created_at = NOW - hours_ago * HOUR
    letter = {"status": "failed", "attempt_count": 3, "max_attempts": 3}
    return [
        *(job(**letter, payload=payload, created_at=created_at) for _ in range(dead)),
        *(job(payload=payload, created_at=created_at) for _ in range(fine)),
    ]


@pytest.fixture
async def failing(database: asyncpg.Connection) -> asyncpg.Connection:
    """Jobs that go worse than a week ago, and go on so; runs that went better, and are quiet."""
    failed = {"status": "failed", "target_object": "ECO"}
    await insert(
        database,
        Database(
            jobs=[
                *jobs(8 * 24, dead=1, fine=9),
                *jobs(30, dead=0, fine=5, site_id="SH-01"),
                *jobs(3, dead=3, fine=2, site_id=HOSTILE),
                *jobs(2, dead=2, fine=3),
            ],
            runs=[
                *(run(**failed, created_at=NOW - 8 * 24 * HOUR) for _ in range(4)),
                run(**failed, created_at=NOW - 20 * HOUR),
                *(run(created_at=NOW - hours * HOUR) for hours in (19, 10, 1)),
            ],
        ),
    )
    return database


def texts(page: Element, **attributes: str) -> str:
    """The words of the only such element, with single blanks."""
    return " ".join(page.one(**attributes).text.split())


@pytest.mark.usefixtures("failing")
async def test_a_rate_says_what_it_was_and_whether_that_is_good(serve: Serve) -> None:
    async with serve(NOW) as client:
        page, chinese, quarter = (
            await board(client),
            await board(client, lang="zh"),
            await board(client, window_days="90"),
        )
    assert texts(page, id="doc_sync-before") == "10.0 % in the 7 d before ↑ worse"
    assert texts(page, id="workflow_actions-before") == "100.0 % in the 7 d before ↓ better"
    assert texts(chinese, id="doc_sync-before") == "前 7 天为 10.0 % ↑ 变差"
    assert [list(page.all(id="breakages-before")), list(quarter.all(id="doc_sync-before"))] == [[], []]


@pytest.mark.usefixtures("failing")
async def test_a_place_leads_to_the_board_of_it_and_one_without_a_name_nowhere(serve: Serve) -> None:
    async with serve(NOW) as client:
        page = await board(client, window_days="14")
        table = page.one(id="doc_sync").one("table", class_="places")
        rows = [
            [cell.text for cell in (*row.all("th"), *row.all("td"))] for row in table.one("tbody").all("tr")
        ]
        (link,) = table.all("a")
        kept = await client.get(link["href"])
        there = page_of(kept.text)
    assert rows == [
        ["no site", "15", "3", "3", "20.0 %"],
        [HOSTILE, "5", "3", "3", "60.0 %"],
    ]
    assert kept.status_code == 200
    assert there.one(id="site_id")["value"] == HOSTILE
    assert there.one(data_figure="doc_sync.total")["value"] == "5"
    assert list(there.one(id="doc_sync").all("table", class_="places")) == []
    assert [there.one(id=way)["href"] for way in ("clear", "doc_sync-back")] == [
        "/?window_days=14&lang=en"
    ] * 2
    assert [list(page.all(id="doc_sync-back")), list(there.all(id="workflow_actions-back"))] == [[], []]
    runs = page.one(id="workflow_actions").one("table", class_="places")
    assert [link["href"] for link in runs.all("a")] == ["/?window_days=14&target_object=ECO&lang=en"]


@pytest.mark.usefixtures("failing")
async def test_an_alert_says_since_when_or_for_how_long_it_is_quiet(serve: Serve) -> None:
    async with serve(NOW, time_zone="Asia/Shanghai") as client:
        page = await board(client)
    told = {
        code: " ".join(page.one(id=f"alert-{code}").one(class_="run").text.split())
        for code in ("doc_sync_dead_letter_rate_high", "workflow_action_failed_rate_high")
    }
    assert told == {
        "doc_sync_dead_letter_rate_high": "since Tue 10, 14:00 (Asia/Shanghai)",
        "workflow_action_failed_rate_high": "quiet for 19 h",
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_budgets_are_the_apis_and_green_only_where_there_is_data(
    database: asyncpg.Connection, serve: Serve, lang: str
) -> None:
    await insert(database, Database(jobs=jobs(3, dead=3, fine=2), runs=[run(created_at=NOW)]))
    async with serve(NOW) as client:
        await know_all_days(client)
        page = await board(client, lang=lang)
        budgets = {each["code"]: each for each in (await client.get(f"{PREFIX}/budgets")).json()["budgets"]}
    names = ("doc_sync", "workflow_actions", "overlay_cache")
    assert [each["id"] for each in page.all("li", class_="budget")] == [f"budget-{name}" for name in names]
    assert [_level(page, name) for name in names] == ["critical", "ok", "no_data"]
    spent = budgets["doc_sync_dead_letter_rate_high"]["spent"]
    assert page.one(id="budget-doc_sync").one("strong").text == f"{spent * 100:.1f} %"
    rates = [each.text for each in page.one(id="budget-doc_sync").all("dd")]
    assert rates[1] == f"{budgets['doc_sync_dead_letter_rate_high']['burn_rates']['6h']:.1f} ×"
    assert rates[0].startswith("–")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("lang", "reading", "empty"), [("en", "Being read", "No data"), ("zh", "读取中", "无数据")]
)
async def test_a_budget_whose_days_are_being_read_is_not_said_to_have_no_data(
    serve: Serve, lang: str, reading: str, empty: str
) -> None:
    async with serve(NOW) as client:
        first = await board(client, lang=lang)
        await know_all_days(client)
        second = await board(client, lang=lang, window_days="30")
    chips = [page.one(id="budget-doc_sync").one(class_="chip").text for page in (first, second)]
    assert chips == [reading, empty]
    assert _level(first, "doc_sync") == _level(second, "doc_sync") == "no_data"


def _level(page: Element, name: str) -> str:
    """How the budget of a section is meant, which its chip says in words, too."""
    card = page.one(id=f"budget-{name}")
    (level,) = {"no_data", "critical", "warn", "ok"} & set(card.classes)
    assert level in card.one(class_="chip").classes
    assert card.one(class_="chip").text
    return level


@pytest.mark.usefixtures("failing")
async def test_trends_are_by_the_clock_of_the_zone_and_say_which(serve: Serve) -> None:
    async with serve(NOW, time_zone="Asia/Shanghai") as client:
        page, week, back = (
            await board(client, window_days="1"),
            await board(client),
            await board(client, window_days="14", bucket_days="14"),
        )
        points = (await client.get(f"{PREFIX}/trends?window_days=1&bucket_hours=1")).json()["points"]
    rows = [_starts(each) for each in (page, week, back)]
    assert len(rows[0]) == len(points)
    assert rows[0][:2] == ["Mon 9, 17:30 (partial)", "Mon 9, 18:00"]
    assert (rows[0][-1], len(rows[0])) == ("Tue 10, 17:00 (partial)", 25)
    assert (rows[1][:2], len(rows[1])) == (["Tue 3, 17:30 (partial)", "Wed 4"], 8)
    assert rows[2] == ["Tue 02-24, 17:30"]
    assert texts(page.one(id="doc_sync"), class_="each") == "a point an hour, Asia/Shanghai"
    current = [link.text for link in week.one(id="controls").all("a", aria_current="true")]
    assert current == ["7 d", "day"]


def _starts(page: Element) -> list[str]:
    return [row.one("th").text for row in page.one(id="doc_sync").one(class_="points").one("tbody").all("tr")]
