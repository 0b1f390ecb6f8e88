"""The lists of the board: what failed in one line, equal errors, what they can be kept to, open incidents."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from service.sources.failing_rows import EXAMINED
from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.html import Element, page_of
from tests.support.statement_log import StatementLog

FRAMES = 'Traceback (most recent call last):\n  File "sync.py", line 1, in push\n    raise SiteError\n'
FAR = "  File 'deep.py', line 1, in f\n    f()\n" * 400
# An error, and the line by which the list shows it.
HEADLINES = {
    FRAMES + "SiteError: 502 for D-1": "SiteError: 502 for D-1 …",
    f"{FRAMES}KeyError: 'a'\n\nDuring handling …:\n\n{FRAMES}ValueError: b\n": "ValueError: b …",
    FRAMES + "OperationalError: gone\nLINE 1: SELECT\n        ^\n[SQL: SELECT]": "OperationalError: gone …",
    FRAMES + "  File 'cut_o": "File 'cut_o …",
    FRAMES + FAR + "MemoryError: far away": "MemoryError: far away …",
    "\n  Site said:\r\n  <p>closed</p>\r\n": "Site said: …",
    "one line": "one line",
    "x" * 300: "x" * 200 + " …",
    " \n": "–",
}
FAILED: dict[str, Any] = {"status": "failed", "created_at": NOW}


async def board(client: httpx.AsyncClient, address: str = "/", **view: str) -> Element:
    response = await client.get(address, params={"lang": "en", **view} if address == "/" else None)
    assert response.status_code == 200
    return page_of(response.text)


def listed(page: Element, name: str) -> list[list[str]]:
    """The cells of a list's rows."""
    return [
        [" ".join(cell.text.split()) for cell in row.all("td")]
        for body in page.one(id=name).all("tbody")
        for row in body.all("tr")
    ]


def total(page: Element, name: str) -> int:
    return int(page.one("data", data_figure=f"failures.{name}")["value"])


def equal(page: Element, name: str) -> list[tuple[int, str]]:
    """The errors that several rows of a list share."""
    found = page.one(id=name).all("li")
    return [(int(each.one("data")["value"]), each.text.partition("×")[2].strip()) for each in found]


async def test_a_traceback_is_shown_by_its_last_line_with_the_whole_text_at_hand(
    database: asyncpg.Connection, serve: Serve
) -> None:
    jobs = [job(**FAILED, last_error=error) for error in HEADLINES]
    await insert(database, Database(jobs=jobs, runs=[run(**FAILED, last_error=FRAMES + "RuleError: x")]))
    async with serve(NOW) as client:
        page = await board(client)
        answer = (await client.get(f"{PREFIX}/doc-sync/failures")).json()
    lines = dict(
        zip(
            [row[-1] for row in listed(page, "failed-jobs")],
            page.one(id="failed-jobs").all("td", class_="wide"),
            strict=True,
        )
    )
    for row, expected in zip(jobs, HEADLINES.values(), strict=True):
        shown = [each.text for each in lines[row["id"]].all(class_="error")]
        assert shown == ([] if expected == "–" else [expected])
    whole = {row["id"]: (row["last_error"] or "").strip() for row in answer["jobs"]}
    for row_id, cell in lines.items():
        assert [pre.text for pre in cell.all("pre")] in ([], [whole[row_id]])
    (of_the_run,) = page.one(id="failed-runs").all(class_="error")
    assert of_the_run.text == "RuleError: x …"


async def test_a_row_says_which_object_document_and_rule_and_leads_to_the_plm(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(
        database,
        Database(
            jobs=[job(**FAILED, id="J/1", dedupe_key="push:DOC-1")],
            runs=[run(**FAILED, object_id="O 1", rule_id="rule-lock", target_object="ECO")],
        ),
    )
    links = {
        "plm_link_object": "https://plm.example/items/{object_id}",
        "plm_link_job": "https://plm.example/jobs/{job_id}",
    }
    async with serve(NOW) as client:
        plain = await board(client)
    async with serve(NOW, **links) as client:
        linked = await board(client)
    assert not list(plain.all("a", class_="plm"))
    assert "push:DOC-1" in listed(linked, "failed-jobs")[0]
    assert {"O 1 ECO", "rule-lock"} <= set(listed(linked, "failed-runs")[0])
    assert [(each.text, each["href"]) for each in linked.all("a", class_="plm")] == [
        ("J/1", "https://plm.example/jobs/J%2F1"),
        ("O 1", "https://plm.example/items/O%201"),
    ]


async def test_equal_errors_are_counted_and_lead_to_their_rows(
    database: asyncpg.Connection, serve: Serve, statements: StatementLog
) -> None:
    errors = [
        *(f"{FRAMES}SiteError: 502 for DOC-{number:06}" for number in range(12)),
        *("HTTP 404", "HTTP 404", "HTTP 503", None, "", "100% <b>_\\"),
    ]
    rows = Database(
        jobs=[job(**FAILED, last_error=error) for error in errors],
        runs=[run(**FAILED, last_error="SiteError: 502 for DOC-9999"), run(**FAILED, last_error="other")],
    )
    await insert(database, rows)
    async with serve(NOW) as client:
        page = await board(client, jobs_page="2")
        assert equal(page, "failed-jobs") == [
            (12, "SiteError: 502 for DOC-#"),
            (2, "HTTP 404"),
            (2, "without an error's text"),
        ]
        assert equal(page, "failed-runs") == []
        # By code points, whatever the collation is; the server of these tests has no other one.
        assert statements.count('ORDER BY many DESC, kinds.error COLLATE "C"') == 2
        followed = await board(client, page.one(id="jobs-error-1")["href"])
        words = {"http 4": 2, "DOC-000007": 1, "% <B>_\\": 1, "_": 1, "nothing says this": 0}
        found = {word: total(await board(client, error=word), "jobs") for word in words}
        unmatched = await board(client, error="nothing says this")
    assert [total(followed, name) for name in ("jobs", "runs")] == [12, 1]
    assert len(listed(followed, "failed-jobs")) == 10
    assert followed.one("input", id="error")["value"] == "SiteError: 502 for DOC-#"
    assert found == words
    assert "Nothing that failed has this" in unmatched.one(id="failed-jobs").text


async def test_errors_are_looked_into_in_the_newest_rows_only(
    database: asyncpg.Connection, serve: Serve
) -> None:
    before = {"status": "failed", "created_at": NOW - timedelta(hours=1)}
    old = [job(**before, last_error="long past") for _ in range(3)]
    new = [job(**FAILED, last_error="at present") for _ in range(EXAMINED)]
    await insert(database, Database(jobs=[*old, *new]))
    async with serve(NOW) as client:
        page, past = await board(client), await board(client, error="long past")
    assert equal(page, "failed-jobs") == [(EXAMINED, "at present")]
    assert f"of the newest {EXAMINED} rows" in page.one(id="failed-jobs").one("h3").text
    assert (
        past.one(id="failed-jobs").one(class_="scope").text
        == f"Error long past · of the newest {EXAMINED} rows"
    )
    assert [total(each, "jobs") for each in (page, past)] == [EXAMINED + 3, 0]


async def test_runs_are_kept_to_a_result_code_as_the_summary_counts_them(
    database: asyncpg.Connection, serve: Serve
) -> None:
    codes = ("TIMEOUT", "TIMEOUT", "零件", "", 0, 200, None, ["OK", "LATE"], " padded ")
    runs = [run(**FAILED, result={"result_code": code}, last_error=str(code)) for code in codes]
    await insert(database, Database(runs=[*runs, run(**FAILED, result=[1]), run(created_at=NOW)]))
    async with serve(NOW) as client:
        counts = (await client.get(f"{PREFIX}/summary")).json()["workflow_actions"]["by_result_code"]
        del counts["OK"]
        found = {code: total(await board(client, result_code=code), "runs") for code in counts}
        page = await board(client, result_code="TIMEOUT", runs_page="1")
        answer = (await client.get(f"{PREFIX}/workflow/failures?result_code=TIMEOUT&error=x")).json()
    assert (
        found
        == counts
        == {"TIMEOUT": 2, "零件": 1, "UNKNOWN": 3, "200": 1, json.dumps(codes[-2]): 1, " padded ": 1}
    )
    assert [row[4] for row in listed(page, "failed-runs")] == ["TIMEOUT"] * 2
    assert page.one(id="failed-runs").one(class_="scope").text == "Result code TIMEOUT"
    assert answer["total"] == len(runs) + 1  # the API has no such parameters


async def test_open_breakages_are_listed_the_newest_first(database: asyncpg.Connection, serve: Serve) -> None:
    ages = [timedelta(hours=hours) for hours in range(12)]
    rows = [
        incident(id=f"I{n:02}", status="Open", severity="high", created_at=NOW - age)
        for n, age in enumerate(ages)
    ]
    others = [incident(created_at=NOW), incident(status="open", created_at=NOW - timedelta(days=8))]
    rows[0] |= {"description": "cracked\nat the rib", "responsibility": "quality"}
    await insert(database, Database(incidents=[*others, *rows]))
    async with serve(NOW) as client:
        page, second = await board(client), await board(client, incidents_page="2")
    assert [row[-1] for each in (page, second) for row in listed(each, "open-incidents")] == [
        row["id"] for row in rows
    ]
    first = page.one(id="open-incidents").one("details")
    assert (first.one(class_="error").text, first.one("pre").text) == ("cracked …", "cracked\nat the rib")
    assert listed(page, "open-incidents")[0][1:3] == ["high", "quality"]
    assert listed(page, "open-incidents")[1][1:3] == ["high", "unassigned"]
    assert page.one(id="alert-breakage_open_rate_high")["href"] == "#open-incidents"


@pytest.mark.parametrize("name", ["error", "result_code"])
async def test_a_filter_of_the_lists_is_bounded_like_any_other(serve: Serve, name: str) -> None:
    async with serve(NOW) as client:
        for value, message in (("x" * 201, "at most 200 characters"), ("a\0", "must not contain NUL")):
            refused = await client.get("/", params={name: value})
            assert (refused.status_code, message in refused.text) == (400, True)
