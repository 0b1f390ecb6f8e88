"""ETag, Cache-Control, Age and X-Cache, on a clock that the test moves."""

from datetime import timedelta

import httpx
import pytest

from tests.support.api import PREFIX
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Ask, Serve

PATHS = [
    *("/summary", "/trends", "/alerts", "/doc-sync/failures", "/workflow/failures", "/metrics"),
    *("/report", "/report?lang=zh"),
    *(
        f"/{file}/export?export_format={name}"
        for file in ("summary", "trends")
        for name in ("json", "csv", "md")
    ),
]

VARY = "Accept-Encoding, Authorization, Cookie"


def caching(response: httpx.Response) -> tuple[str, str, str]:
    """What a cache reads, but for the tag."""
    return response.headers["cache-control"], response.headers["age"], response.headers["x-cache"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_says_how_long_it_may_be_kept_and_how_it_was_come_by(
    serve: Serve, path: str
) -> None:
    async with serve(NOW + timedelta(seconds=4)) as client:
        first = await client.get(PREFIX + path)
        second = await client.get(PREFIX + path)
    # A cache subtracts the Age from the max-age: 11 s are left.
    assert caching(first) == ("private, max-age=15", "4", "miss")
    assert caching(second) == ("private, max-age=15", "4", "hit")
    assert {each.headers["vary"] for each in (first, second)} == {VARY}
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]


@pytest.mark.parametrize("path", PATHS)
async def test_who_has_the_answer_already_gets_304_without_a_body(serve: Serve, path: str) -> None:
    async with serve(NOW) as client:
        full = await client.get(PREFIX + path)
        again = await client.get(PREFIX + path, headers={"if-none-match": full.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "age", "vary"):
        assert again.headers[name] == full.headers[name]
    assert again.headers["x-cache"] == "hit"


async def test_if_none_match_is_a_list_compared_weakly(serve: Serve) -> None:
    async with serve(NOW) as client:
        tag = (await client.get(f"{PREFIX}/summary")).headers["etag"]
        strong = tag.removeprefix("W/")
        for given in (tag, strong, f'"other", {tag}', f'{strong} ,W/"x"', f'W/"x",{tag},"y"', "*", " * "):
            answer = await client.get(f"{PREFIX}/summary", headers={"if-none-match": given})
            assert answer.status_code == 304, given
        for given in ("", '""', '"other"', strong.strip('"'), 'W/"*"', f'"{tag}"', tag.replace("W/", "w/")):
            answer = await client.get(f"{PREFIX}/summary", headers={"if-none-match": given})
            assert answer.status_code == 200, given
        headers = [("if-none-match", '"other"'), ("if-none-match", tag)]
        assert (await client.get(f"{PREFIX}/summary", headers=headers)).status_code == 304


async def test_tags_tell_answers_apart(serve: Serve) -> None:
    async with serve(NOW) as client:
        asked = [*PATHS, "/summary?window_days=1", "/summary?site_id=S1", "/trends?bucket_days=7"]
        tags = [(await client.get(PREFIX + path)).headers["etag"] for path in asked]
        same = (await client.get(f"{PREFIX}/summary?site_id=%20&window_days=7&x=y")).headers["etag"]
    assert len(set(tags)) == len(asked)
    assert same == tags[0]


async def test_age_and_max_age_count_whole_seconds_up_to_the_edge_of_the_tick(serve: Serve) -> None:
    clock = Clock(NOW)
    async with serve(clock) as client:
        await client.get(f"{PREFIX}/summary")
        for seconds, max_age, age in ((0, 15, 0), (0.999, 14, 0), (1, 15, 1), (14, 15, 14), (14.999, 14, 14)):
            clock.now = NOW.timestamp() + seconds
            answer = await client.get(f"{PREFIX}/summary")
            assert caching(answer) == (f"private, max-age={max_age}", str(age), "hit")
            assert answer.json()["generated_at"] == "2026-03-10T09:30:00Z"


async def test_past_the_edge_the_last_answer_is_stale_and_its_age_goes_on(serve: Serve) -> None:
    clock = Clock(NOW)
    async with serve(clock) as client:
        await client.get(f"{PREFIX}/summary")
        clock.now += 15
        answer = await client.get(f"{PREFIX}/summary")
    assert caching(answer) == ("private, max-age=30", "15", "stale")
    assert answer.json()["generated_at"] == "2026-03-10T09:30:00Z"


async def test_a_new_ticks_answer_has_another_tag(serve: Serve) -> None:
    clock = Clock(NOW)
    async with serve(clock) as client:
        old = (await client.get(f"{PREFIX}/summary")).headers["etag"]
        clock.now += 3600  # too old to be served again
        answer = await client.get(f"{PREFIX}/summary", headers={"if-none-match": old})
    assert answer.status_code == 200
    assert caching(answer) == ("private, max-age=15", "0", "miss")
    assert answer.headers["etag"] != old


async def test_a_refusal_is_not_to_be_kept(ask: Ask) -> None:
    for path, status in (("/summary?window_days=2", 400), ("/nothing", 404)):
        response = await ask(path, status=status)
        assert response.headers["cache-control"] == "no-store"
        assert not {"etag", "age", "x-cache"} & response.headers.keys()


async def test_a_match_does_not_hide_a_refusal(serve: Serve) -> None:
    async with serve(NOW) as client:
        answer = await client.get(f"{PREFIX}/summary?window_days=2", headers={"if-none-match": "*"})
    assert answer.status_code == 400
