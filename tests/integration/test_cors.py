"""Pages of other origins read nothing, unless the configuration names their origin."""

from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tokens import SECRET, bearer, token

SUMMARY = f"{PREFIX}/summary"
OURS = "https://board.example.com"
ASKS = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


async def test_off_unless_it_is_configured(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        answer = await client.get(SUMMARY, headers={"Origin": OURS})
        asked = await client.options(SUMMARY, headers={"Origin": OURS, **ASKS})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert asked.status_code == 405


async def test_a_named_origin_may_ask_and_read_even_refusals(serve: Serve, database: object) -> None:
    origins = f"https://other.example.com, {OURS}"
    async with serve(NOW, auth="required", jwt_secret=SECRET, cors_origins=origins) as client:
        asked = await client.options(SUMMARY, headers={"Origin": OURS, **ASKS})
        answer = await client.get(SUMMARY, headers={"Origin": OURS, **bearer(token())})
        refused = await client.get(SUMMARY, headers={"Origin": OURS})
        stranger = await client.get(SUMMARY, headers={"Origin": "https://evil.example", **bearer(token())})
        strange_question = await client.options(SUMMARY, headers={"Origin": "https://evil.example", **ASKS})
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-methods"] == "GET"
    assert "authorization" in asked.headers["access-control-allow-headers"]
    for response in (asked, answer, refused):
        assert response.headers["access-control-allow-origin"] == OURS
    assert (answer.status_code, refused.status_code, strange_question.status_code) == (200, 401, 401)
    assert {"origin", "accept-encoding", "authorization", "cookie"} == set(
        answer.headers["vary"].lower().split(", ")
    )
    assert "access-control-allow-origin" not in stranger.headers
    assert "access-control-allow-origin" not in strange_question.headers


async def test_a_named_origins_page_may_read_each_header_that_answers_have_for_it(
    serve: Serve, database: object
) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET, cors_origins=OURS) as client:
        ours = {"Origin": OURS}
        for path, headers in (("", bearer(token())), ("/export", bearer(token())), ("", {})):
            answer = await client.get(SUMMARY + path, headers=ours | headers)
            exposed = answer.headers["access-control-expose-headers"]
            assert sorted(exposed.split(", ")) == [
                *("age", "etag", "retry-after", "x-cache", "x-operator-id", "x-request-id")
            ]
        asked = await client.options(SUMMARY, headers={**ours, **ASKS})
    allowed = asked.headers["access-control-allow-headers"]
    assert sorted(allowed.split(", ")) == ["authorization", "if-none-match", "x-request-id"]
    assert asked.headers["access-control-max-age"] == "600"
