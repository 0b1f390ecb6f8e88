"""Refusals: one shape, the contract's messages, and the first bad parameter in the table's order."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve

WINDOW = "window_days must be one of: 1, 7, 14, 30, 90"
BUCKET = "bucket_days must be one of: 1, 7, 14, 30"
ALIGN = "align must be window or clock"
HOURS = "bucket_hours must be one of: 1, 6"
PAGE = "page must be >= 1"
PAGE_SIZE = "page_size must be between 1 and 200"
LEVEL = "level must be one of: warn, critical, info"
FORMAT = "export_format must be json, csv or md"
LANG = "lang must be en or zh"
LONG, NUL = "must be at most 200 characters", "must not contain NUL"

SNAPSHOT = ("window_days", "site_id", "target_object", "template_key")
BUCKETS = ("bucket_days", "align", "bucket_hours")
SHARES = (
    *("overlay_cache_hit_rate_warn", "doc_sync_dead_letter_rate_warn", "workflow_failed_rate_warn"),
    "breakage_open_rate_warn",
)
LEAST = "overlay_cache_min_requests_warn"
OVERRIDES = (SHARES[0], LEAST, *SHARES[1:])
PARAMETERS = {
    "/summary": (*SNAPSHOT, *OVERRIDES),
    "/trends": (*SNAPSHOT[:1], *BUCKETS, *SNAPSHOT[1:]),
    "/trends/export": (*SNAPSHOT[:1], *BUCKETS, *SNAPSHOT[1:], "export_format"),
    "/alerts": (*SNAPSHOT, "level", *OVERRIDES),
    "/summary/export": (*SNAPSHOT, "export_format", *OVERRIDES),
    "/report": (*SNAPSHOT, "lang", *OVERRIDES),
    "/doc-sync/failures": ("window_days", "site_id", "page", "page_size"),
    "/workflow/failures": ("window_days", "target_object", "page", "page_size"),
    "/metrics": (*SNAPSHOT, *OVERRIDES),
}
# As they stand in a query string: none of them is an integer, not even for Python's lenient int().
NOT_INTEGERS = (
    *("", "%20", "x", "7.0", "1e0", "%2B7", "+7", "7+", "%207", "7%0A", "0x7", "7_0", "1,7", "None", "null"),
    *("NaN", "%D9%A7", "%E0%A5%A7", "%EF%BC%97", "%C2%B2", "7%00", "%FF", "%ED%A0%80", "--7", "true"),
)
INTEGERS_TOO_MANY = ("0", "-1", "-7", "2", "8", "91", str(10**30), "9" * 5000)


async def refused(client: httpx.AsyncClient, path_and_query: str) -> dict[str, Any]:
    """The detail of a 400 in the one shape."""
    response = await client.get(PREFIX + path_and_query)
    assert response.status_code == 400, (path_and_query[:80], response.text[:200])
    assert response.headers["content-type"] == "application/json"
    body: dict[str, dict[str, Any]] = response.json()
    assert list(body) == ["detail"]
    assert list(body["detail"]) == ["code", "message", "context"]
    assert body["detail"]["code"] == "parallel_ops_invalid_request"
    return body["detail"]


@pytest.mark.parametrize("path", PARAMETERS)
async def test_a_window_is_one_of_five_plain_integers(serve: Serve, path: str) -> None:
    async with serve(NOW) as client:
        for text in NOT_INTEGERS + INTEGERS_TOO_MANY:
            detail = await refused(client, f"{path}?window_days={text}")
            assert detail["message"] == WINDOW


@pytest.mark.parametrize(
    ("path", "name", "message"),
    [
        ("/trends", "bucket_days", BUCKET),
        ("/trends", "bucket_hours", HOURS),
        ("/trends/export", "bucket_days", BUCKET),
        ("/doc-sync/failures", "page", PAGE),
        ("/doc-sync/failures", "page_size", PAGE_SIZE),
        ("/workflow/failures", "page", PAGE),
        ("/workflow/failures", "page_size", PAGE_SIZE),
    ],
)
async def test_the_other_integers_are_plain_as_well(serve: Serve, path: str, name: str, message: str) -> None:
    wrong = {
        "bucket_days": ("0", "-1", "2", "90"),
        "bucket_hours": ("0", "-1", "2", "24"),
        "page": ("0", "-1"),
        "page_size": ("0", "-1", "201"),
    }
    async with serve(NOW) as client:
        for text in (*NOT_INTEGERS, *wrong[name], str(-(10**30)), "-" + "9" * 5000):
            assert (await refused(client, f"{path}?{name}={text}"))["message"] == message


async def test_a_bucket_is_at_most_the_window(serve: Serve) -> None:
    async with serve(NOW) as client:
        for query in ("bucket_days=14", "window_days=1&bucket_days=7", "window_days=14&bucket_days=30"):
            assert (await refused(client, f"/trends?{query}"))[
                "message"
            ] == "bucket_days must be <= window_days"
        for query in ("window_days=1", "window_days=7&bucket_days=7", "window_days=90&bucket_days=30"):
            assert (await client.get(f"{PREFIX}/trends?{query}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("bucket_hours=1&window_days=14", "bucket_hours needs window_days of 1 or 7"),
        ("bucket_hours=6&window_days=7&bucket_days=1", "give bucket_days or bucket_hours, not both"),
        ("align=clock&window_days=14&bucket_days=14", "align=clock needs bucket_days of 1 or 7"),
        ("align=CLOCK&window_days=90&bucket_days=30", "align=clock needs bucket_days of 1 or 7"),
        ("align=clocks", ALIGN),
    ],
)
async def test_points_by_the_clock_are_days_weeks_or_hours(serve: Serve, query: str, message: str) -> None:
    async with serve(NOW) as client:
        assert (await refused(client, f"/trends?{query}"))["message"] == message
        for taken in (
            "align=&bucket_hours=6",
            "align=%20Clock%20&bucket_days=7",
            "align=window&bucket_hours=1",
        ):
            assert (await client.get(f"{PREFIX}/trends?{taken}")).status_code == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [(path, name) for path, names in PARAMETERS.items() for name in names if name in SNAPSHOT[1:]],
)
async def test_filters_have_a_length_and_no_nul(serve: Serve, path: str, name: str) -> None:
    """The limit is on characters, after trimming: not on bytes, and not on what a client sends."""
    async with serve(NOW) as client:
        for given, message in (
            ("x" * 201, LONG),
            ("工" * 201, LONG),
            ("x" + " " * 199 + "x", LONG),
            ("x" * 200 + "\0", LONG),
            ("\0", NUL),
            ("a\0b", NUL),
            ("x" * 199 + "\0", NUL),
        ):
            query = httpx.QueryParams({name: given})
            assert (await refused(client, f"{path}?{query}"))["message"] == f"{name} {message}"
        for given in ("x" * 200, "🙂" * 200, " \u00a0\u3000" * 99 + "x" * 200 + "\t\n", " " * 5000):
            response = await client.get(PREFIX + path, params={name: given})
            assert response.status_code == 200


async def test_levels_formats_and_languages_are_the_contracts(serve: Serve) -> None:
    async with serve(NOW) as client:
        for text in ("warning", "warn,critical", "ok", "w", "%00", "warn%00", "%FF"):
            assert (await refused(client, f"/alerts?level={text}"))["message"] == LEVEL
        for text in ("xlsx", "json;", ".csv", "markdown", "%00", "md%00"):
            assert (await refused(client, f"/summary/export?export_format={text}"))["message"] == FORMAT
        for text in ("fr", "zh-CN", "en,zh", "english", "%00", "zh%00"):
            assert (await refused(client, f"/report?lang={text}"))["message"] == LANG


@pytest.mark.parametrize("path", PARAMETERS)
async def test_the_first_bad_parameter_in_the_tables_order_is_reported(serve: Serve, path: str) -> None:
    """All are bad; from the last to the first one is made good, in no helpful order of the query."""
    messages = {
        "window_days": WINDOW,
        "bucket_days": BUCKET,
        "align": ALIGN,
        "bucket_hours": HOURS,
        "page": PAGE,
        "page_size": PAGE_SIZE,
        "level": LEVEL,
        "export_format": FORMAT,
        "lang": LANG,
        **{name: f"{name} {NUL}" for name in SNAPSHOT[1:]},
        **{name: f"{name} must be between 0 and 1" for name in SHARES},
        LEAST: f"{LEAST} must be >= 0",
    }
    names = PARAMETERS[path]
    async with serve(NOW) as client:
        for position, name in enumerate(names):
            bad = dict.fromkeys(reversed(names[position:]), "\x00")
            detail = await refused(client, f"{path}?{httpx.QueryParams(bad)}")
            assert detail["message"] == messages[name]


@pytest.mark.parametrize("path", PARAMETERS)
async def test_the_context_has_all_parameters_of_the_endpoint_and_no_other(serve: Serve, path: str) -> None:
    async with serve(NOW) as client:
        detail = await refused(client, f"{path}?window_days=2&unknown=1&page_siz=3")
    assert list(detail["context"].items()) == [
        (name, 2 if name == "window_days" else None) for name in PARAMETERS[path]
    ]


async def test_the_context_holds_values_as_they_came_and_integers_as_integers(serve: Serve) -> None:
    query = "window_days=7.0&site_id=%20S1%C2%A0&page=-3&page_size=" + "9" * 30
    async with serve(NOW) as client:
        detail = await refused(client, f"/doc-sync/failures?{query}")
        assert detail["context"] == {
            "window_days": "7.0",
            "site_id": " S1\xa0",
            "page": -3,
            "page_size": 10**30 - 1,
        }
        detail = await refused(client, "/alerts?window_days=%D9%A7&level=%20LOUD&site_id=%20&template_key=7")
        assert detail["context"] == {
            "window_days": "٧",
            "site_id": " ",
            "target_object": None,
            "template_key": "7",
            "level": " LOUD",
            **dict.fromkeys(OVERRIDES),
        }
        detail = await refused(client, f"/metrics?{LEAST}=-3&{SHARES[3]}=0.7")
        assert (detail["context"][LEAST], detail["context"][SHARES[3]]) == (-3, "0.7")
        detail = await refused(client, "/trends?window_days=1&bucket_days=7&site_id=7")
        assert detail["context"] == {
            "window_days": 1,
            "bucket_days": 7,
            "align": None,
            "bucket_hours": None,
            "site_id": "7",
            "target_object": None,
            "template_key": None,
        }


async def test_a_number_too_long_to_be_one_comes_back_as_it_came(serve: Serve) -> None:
    digits = "7" * 5000
    async with serve(NOW) as client:
        assert (await refused(client, f"/summary?window_days={digits}"))["context"]["window_days"] == digits


async def test_bytes_that_are_no_utf_8_are_replaced_and_never_break_an_answer(serve: Serve) -> None:
    async with serve(NOW) as client:
        for text, shown in (("%FF", "\ufffd"), ("%ED%A0%80", "\ufffd" * 3), ("a%C3", "a\ufffd"), ("%", "%")):
            response = await client.get(f"{PREFIX}/summary?site_id={text}")
            assert response.json()["doc_sync"]["site_filter"] == shown
            detail = await refused(client, f"/summary?window_days=x&site_id={text}")
            assert detail["context"]["site_id"] == shown


async def test_query_strings_are_read_as_forms_are(database: asyncpg.Connection, serve: Serve) -> None:
    await insert(database, Database(jobs=[job(payload={"site_id": "a b"}, created_at=NOW)]))
    cases = {
        "site_id=a+b": "a b",
        "site_id=a%20b": "a b",
        "%73ite%5Fid=a%20b": "a b",
        "site_id=x&site_id=a+b": "a b",
        "&&site_id=a+b&": "a b",
        "site_id=a%2Bb": "a+b",
        "site_id=a;b": "a;b",
        "site_id=a=b": "a=b",
        "site_id=a%26b": "a&b",
        "site_id": None,
        "site_id=": None,
        "SITE_ID=a+b": None,
        "site_id[]=a+b": None,
    }
    async with serve(NOW) as client:
        for query, shown in cases.items():
            found = (await client.get(f"{PREFIX}/summary?{query}")).json()["doc_sync"]
            assert (found["site_filter"], found["total"]) == (shown, int(shown in (None, "a b"))), query


async def test_long_queries_are_answered_and_endless_ones_refused_in_the_same_shape(serve: Serve) -> None:
    async with serve(NOW) as client:
        long = "&".join(f"unknown{number}=x" for number in range(400))
        assert (await client.get(f"{PREFIX}/summary?{long}&window_days=30")).json()["window_days"] == 30
        assert (await refused(client, f"/summary?{long}&window_days=31"))["message"] == WINDOW
        response = await client.get(f"{PREFIX}/summary?{long}&{long}")
    assert response.status_code == 414
    assert list(response.json()["detail"]) == ["code", "message", "context"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/parallel-ops",
        PREFIX + "/nothing",
        PREFIX + "/summary/x",
        "/a%00b",
        "/%FF",
        "//x",
        PREFIX + "/Summary",
    ],
)
async def test_an_unknown_path_is_refused_in_the_same_shape(serve: Serve, path: str) -> None:
    async with serve(NOW) as client:
        response = await client.get("http://test" + path)
    assert response.status_code == 404
    detail = response.json()["detail"]
    assert list(detail) == ["code", "message", "context"]
    assert detail["code"] == "parallel_ops_not_found"


@pytest.mark.parametrize("path", PARAMETERS)
async def test_other_methods_are_refused_in_the_same_shape(serve: Serve, path: str) -> None:
    async with serve(NOW) as client:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            response = await client.request(method, PREFIX + path)
            assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
            detail = response.json()["detail"]
            assert list(detail) == ["code", "message", "context"]
            assert detail["code"] == "parallel_ops_method_not_allowed"


async def test_no_host_header_breaks_a_refusal(serve: Serve) -> None:
    async with serve(NOW) as client:
        for host in ("[", "]:x", "a b", "", "é", "x" * 5000):
            response = await client.get("/nothing", headers={b"host": host.encode()})
            detail = response.json()["detail"]
            assert list(detail) == ["code", "message", "context"]
            refusals = {
                400: "parallel_ops_invalid_request",
                404: "parallel_ops_not_found",
                421: "parallel_ops_unknown_host",
            }
            assert detail["code"] == refusals[response.status_code]


async def test_a_failing_database_is_unavailable_and_says_nothing_of_its_tables(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await database.execute("ALTER TABLE meta_breakage_incidents RENAME TO elsewhere")
    try:
        async with serve(NOW) as client:
            text = unavailable(await client.get(f"{PREFIX}/summary"))
    finally:
        await database.execute("ALTER TABLE elsewhere RENAME TO meta_breakage_incidents")
    assert "elsewhere" not in text
    assert "meta_breakage_incidents" not in text


@pytest.mark.parametrize("path", PARAMETERS)
async def test_an_error_that_nobody_foresaw_is_unavailable_in_the_same_shape(serve: Serve, path: str) -> None:
    clock = BrokenClock(NOW)
    async with serve(clock) as client:
        assert "hands" not in unavailable(await client.get(PREFIX + path))


class BrokenClock(Clock):
    """Nobody foresees a clock that fails, so this is an error from the middle of the service."""

    def __call__(self) -> float:
        """Fail."""
        raise ZeroDivisionError("no hands")


def unavailable(response: httpx.Response) -> str:
    """The text of a 503 in the one shape."""
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    detail = response.json()["detail"]
    assert list(detail) == ["code", "message", "context"]
    assert detail["code"] == "parallel_ops_unavailable"
    return response.text
