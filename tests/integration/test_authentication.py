"""Only who shows a good token gets in; a bad one is refused in one shape, whatever is wrong with it."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.api.access.authentication import REMEMBERED, Keys, TokenVerifier, public_key
from service.settings import SettingsError, from_environment
from service.tenants.tenancy import ANY, Tenancy
from tests.support.api import PREFIX
from tests.support.fixtures import Serve
from tests.support.tokens import SCRAPE_TOKEN, SECRET, Private, bearer, claims, token
from tests.support.waiting import POLL_SECONDS, probed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Client = AbstractAsyncContextManager[httpx.AsyncClient]
Guarded = Callable[[], Client]
SUMMARY = f"{PREFIX}/summary"
ENDPOINTS = (
    "/summary",
    "/trends",
    "/alerts",
    "/summary/export",
    "/trends/export",
    "/report",
    "/doc-sync/failures",
    "/workflow/failures",
    "/metrics",
)
# Text and files have no room for the operator.
IN_HEADER = ("/summary/export", "/trends/export", "/report", "/metrics")


@pytest.fixture
def guarded(serve: Serve, database: object) -> Guarded:
    """Starts the service with authentication on: `async with guarded() as client`."""
    return lambda: serve(NOW, auth="required", jwt_secret=SECRET, scrape_token=SCRAPE_TOKEN)


def part(content: object) -> str:
    """One base64url part of a token; bytes are taken as they are."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object, payload: object, secret: str = SECRET) -> str:
    """A token with a good HS256 signature over any header and payload."""
    content = f"{part(header)}.{part(payload)}"
    signature = hmac.new(secret.encode(), content.encode(), hashlib.sha256).digest()
    return f"{content}.{part(signature)}"


HS256 = {"alg": "HS256", "typ": "JWT"}
NOW_SECONDS = int(time.time())
BAD_TOKENS = {
    "empty": "",
    "not a token": "abc",
    "two parts": "a.b",
    "four parts": "a.b.c.d",
    "not base64": "!!!.???.***",
    "no algorithm": token(key=None, algorithm="none"),
    "algorithm none with a signature": signed({"alg": "none"}, claims()),
    "another algorithm": token(algorithm="HS512"),
    "no algorithm named": signed({"typ": "JWT"}, claims()),
    "algorithm is a list": signed({"alg": ["HS256"]}, claims()),
    "another secret": token(key="x" * 32),
    "signature cut off": token().rpartition(".")[0] + ".",
    "payload swapped": ".".join(
        [token().split(".")[0], part(claims(sub="8")), token().split(".")[2]],
    ),
    "expired": token(claims(exp=NOW_SECONDS - 31)),
    "not yet valid": token(claims(nbf=NOW_SECONDS + 86_400)),
    "issued in the future": token(claims(iat=NOW_SECONDS + 86_400)),
    "no expiry": token(claims(exp=None)),
    "expiry is no number": signed(HS256, claims(exp="soon")),
    "expiry is infinite": signed(HS256, b'{"sub":"7","tenant_id":"acme","exp":Infinity}'),
    "expiry is an object": signed(HS256, claims(exp={})),
    "no subject": token(claims(sub=None)),
    "subject is a name": token(claims(sub="root")),
    "subject is empty": token(claims(sub="")),
    "subject is a fraction": signed(HS256, claims(sub=7.5)),
    "subject is true": signed(HS256, claims(sub=True)),
    "subject is negative": token(claims(sub="-7")),
    "subject in other digits": token(claims(sub="७")),
    "subject with white space": token(claims(sub=" 7")),
    "subject with an underscore": token(claims(sub="1_0")),
    "subject beyond 64 bits": token(claims(sub=str(2**63))),
    "subject of a thousand digits": token(claims(sub="7" * 1000)),
    "subject is a list": signed(HS256, claims(sub=["7"])),
    "no tenant": token(claims(tenant_id=None)),
    "tenant is null": signed(HS256, {**claims(), "tenant_id": None}),
    "header is an array": signed(["HS256"], claims()),
    "header is a string": signed("HS256", claims()),
    "payload is an array": signed(HS256, [claims()]),
    "payload is a number": signed(HS256, 7),
    "payload is null": signed(HS256, None),
    "payload is not JSON": signed(HS256, b"{"),
    "payload is not UTF-8": signed(HS256, b"\xff\xfe"),
    "payload is deep": signed(HS256, b"[" * 2000 + b"]" * 2000),
    "critical header": signed({**HS256, "crit": ["x"], "x": 1}, claims()),
    "detached payload": signed({**HS256, "b64": False, "crit": ["b64"]}, claims()),
    "key id is a number": signed({**HS256, "kid": 7}, claims()),
    "100 kB": token(claims(note="x" * 75_000)),
    "100 kB of nothing": "x" * 100_000,
    "non-ASCII": "é.é.é",
    "lone surrogate": signed(HS256, b'{"sub":"\\ud800","tenant_id":"a","exp":9999999999}'),
    "the scrape token": SCRAPE_TOKEN,
}
REASONS = (
    *("a bearer token is required", "the bearer token is not valid", "the bearer token has expired"),
    "there is more than one Authorization header",
)


def assert_refused(response: httpx.Response) -> None:
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "application/json"
    assert "etag" not in response.headers
    detail = response.json()["detail"]
    assert (detail["code"], detail["context"]) == ("parallel_ops_unauthorized", {})
    assert detail["message"] in REASONS


async def test_a_bad_token_is_refused(guarded: Guarded, subtests: pytest.Subtests) -> None:
    async with guarded() as client:
        for name, text in BAD_TOKENS.items():
            with subtests.test(name):
                header = (b"authorization", b"Bearer " + text.encode())
                assert_refused(await client.get(SUMMARY, headers=[header]))


async def test_another_scheme_is_refused(guarded: Guarded) -> None:
    async with guarded() as client:
        assert_refused(await client.get(SUMMARY))
        for value in (b"", b"Bearer", b"bearer", b"Basic Nzo3", b"Token abc", b"\xff\xfe"):
            assert_refused(await client.get(SUMMARY, headers=[(b"authorization", value)]))


async def test_the_scheme_is_known_in_any_case(guarded: Guarded) -> None:
    async with guarded() as client:
        response = await client.get(SUMMARY, headers={"Authorization": f"BEARER {token()}"})
        assert response.status_code == 200


async def test_nothing_under_the_prefix_answers_without_a_token(guarded: Guarded) -> None:
    async with guarded() as client:
        for endpoint in (*ENDPOINTS, "", "/", "/nothing", "/summary/", "//summary"):
            for method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD"):
                response = await client.request(method, PREFIX + endpoint)
                assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_another_spelling_of_a_path_is_no_way_in(guarded: Guarded) -> None:
    async with guarded() as client:
        for path in (f"/{SUMMARY}", "/api//v1/parallel-ops/summary/", "//metrics/", "/metrics", "/metrics/"):
            assert_refused(await client.get(f"http://test{path}"))


async def test_a_good_token_opens_every_endpoint(guarded: Guarded) -> None:
    async with guarded() as client:
        for endpoint in ENDPOINTS:
            assert (await client.get(PREFIX + endpoint, headers=bearer(token()))).status_code == 200
        unknown = await client.get(f"{PREFIX}/nothing", headers=bearer(token()))
        assert (unknown.status_code, unknown.json()["detail"]["code"]) == (404, "parallel_ops_not_found")


async def test_the_subject_is_the_operator(guarded: Guarded) -> None:
    async with guarded() as client:
        for subject, operator in (("7", 7), (7, 7), ("0", 0), (str(2**63 - 1), 2**63 - 1)):
            response = await client.get(SUMMARY, headers=bearer(signed(HS256, claims(sub=subject))))
            assert response.json()["operator_id"] == operator


async def test_every_answer_names_its_own_caller_and_no_other(guarded: Guarded) -> None:
    """The callers share everything that is cached, and ask in turn."""
    callers = {operator: bearer(token(claims(sub=str(operator)))) for operator in (1001, 2002, 3003)}
    async with guarded() as client:
        for operator, headers in list(callers.items()) * 2:
            for endpoint in ENDPOINTS:
                response = await client.get(PREFIX + endpoint, headers=headers)
                if endpoint in IN_HEADER:
                    assert "operator" not in response.text
                else:
                    assert response.json()["operator_id"] == operator
                in_header = response.headers.get("x-operator-id")
                assert in_header == (str(operator) if endpoint in IN_HEADER else None)


async def test_the_leeway_forgives_clocks_that_differ(guarded: Guarded) -> None:
    now = int(time.time())
    async with guarded() as client:
        for text in (token(claims(exp=now - 15)), token(claims(nbf=now + 15))):
            assert (await client.get(SUMMARY, headers=bearer(text))).status_code == 200


@pytest.mark.parametrize("leeway", [0, 30])
async def test_a_remembered_token_ends_with_its_leeway(serve: Serve, database: object, leeway: int) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET, jwt_leeway_seconds=leeway) as client:
        seconds = 1
        # A machine that is so slow that the token ends before it is first shown gets one that lives longer.
        while not await _opens_until(client, int(time.time()) + seconds, leeway):
            seconds *= 2


async def _opens_until(client: httpx.AsyncClient, end: int, leeway: int) -> bool:
    """Show a token until it is refused, which must be at its end; whether it was taken more than once."""
    header, taken = bearer(token(claims(exp=end - leeway))), 0
    while True:
        asked = time.time()
        response = await client.get(SUMMARY, headers=header)
        if response.status_code != 200:
            assert time.time() >= end
            assert_refused(response)
            assert response.json()["detail"]["message"] == "the bearer token has expired"
            return taken > 1
        assert asked < end
        taken += 1
        await asyncio.sleep(POLL_SECONDS)


async def test_a_browsers_cookie_is_taken_for_reading_alone(guarded: Guarded) -> None:
    cookie = {"Cookie": f"other=1; parallel_ops_token={token()}"}
    async with guarded() as client:
        assert (await client.get(SUMMARY, headers=cookie)).json()["operator_id"] == 7
        for method in ("POST", "PUT", "DELETE"):
            assert (await client.request(method, SUMMARY, headers=cookie)).status_code == 401
        assert_refused(await client.get(SUMMARY, headers=cookie | bearer("not a token")))


async def test_of_two_authorization_headers_none_counts(guarded: Guarded, subtests: pytest.Subtests) -> None:
    """A gateway may have looked at the other one."""
    good, other = f"Bearer {token()}", f"Bearer {token(claims(sub='8'))}"
    cookie = ("cookie", f"parallel_ops_token={token()}")
    pairs = [(good, other), (good, good), (good, "Bearer x"), ("Bearer x", good), ("Basic Nzo3", good)]
    pairs += [(good, "Basic Nzo3"), (good, ""), ("", good), ("", ""), ("Bearer", good)]
    async with guarded() as client:
        for pair in pairs:
            with subtests.test(str(pair)):
                given = [("authorization", each) for each in pair]
                for headers in (given, [*given, cookie]):
                    refused = await client.get(SUMMARY, headers=headers)
                    assert_refused(refused)
                    assert refused.json()["detail"]["message"] == REASONS[-1]


async def test_while_authentication_is_off_no_header_is_too_many(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        given = [("authorization", f"Bearer {token()}")] * 2
        assert (await client.get(SUMMARY, headers=given)).json()["operator_id"] is None


async def test_another_scheme_beside_a_good_cookie_does_not_hide_it(guarded: Guarded) -> None:
    """A browser sends Basic by itself where the balancer asks for it."""
    async with guarded() as client:
        for scheme in ("Basic Nzo3", "Digest x", "", "BearerX y"):
            headers = {"Cookie": f"parallel_ops_token={token()}", "Authorization": scheme}
            assert (await client.get(SUMMARY, headers=headers)).json()["operator_id"] == 7
            assert_refused(await client.get(SUMMARY, headers=headers | {"Cookie": "parallel_ops_token=x"}))
            assert_refused(await client.post(SUMMARY, headers=headers))
        for bad in ("Bearer x", "bearer", "BEARER "):
            headers = {"Cookie": f"parallel_ops_token={token()}", "Authorization": bad}
            assert_refused(await client.get(SUMMARY, headers=headers))


def test_good_tokens_without_end_take_no_memory_without_end() -> None:
    tokens = TokenVerifier(Keys(SECRET.encode(), "HS256", 30), Tenancy("", ids=(ANY,)))
    many = [token(claims(sub=str(subject))).encode() for subject in range(2 * REMEMBERED)]
    tracemalloc.start()
    try:
        taken = [tracemalloc.get_traced_memory()[0]]
        for number, text in enumerate(many, 1):
            assert tokens.caller_of(text).operator_id == number - 1
            if number % REMEMBERED == 0:
                taken.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    at_first, later = taken[1] - taken[0], taken[2] - taken[1]
    assert later < at_first / 4


@pytest.mark.parametrize(
    "private",
    [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())],
    ids=["1024 bits", "P-384"],
)
def test_a_weak_or_unfit_public_key_is_not_taken(private: Private) -> None:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValueError, match="must be an RSA key of at least 2048 bits"):
        public_key(pem, 30)


async def test_the_etag_of_one_caller_gives_another_nothing(guarded: Guarded) -> None:
    first, second = bearer(token(claims(sub="1"))), bearer(token(claims(sub="2")))
    async with guarded() as client:
        etag = (await client.get(SUMMARY, headers=first)).headers["etag"]
        asked = {"If-None-Match": etag}
        assert (await client.get(SUMMARY, headers=first | asked)).status_code == 304
        assert (await client.get(SUMMARY, headers=second | asked)).status_code == 200
        assert_refused(await client.get(SUMMARY, headers=asked))


async def test_the_scrape_token_opens_the_metrics_alone(guarded: Guarded) -> None:
    async with guarded() as client:
        for path in (f"{PREFIX}/metrics", "/metrics"):
            assert (await client.get(path, headers=bearer(SCRAPE_TOKEN))).status_code == 200
            assert_refused(await client.get(path, headers=bearer(SCRAPE_TOKEN + "x")))
        assert_refused(await client.get(SUMMARY, headers=bearer(SCRAPE_TOKEN)))


async def test_health_and_the_api_document_are_open(guarded: Guarded) -> None:
    async with guarded() as client:
        await probed(client)
        for path in ("/health/live", "/schema/openapi.json"):
            assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("private", "algorithm"),
    [(rsa.generate_private_key(65537, 2048), "RS256"), (ec.generate_private_key(ec.SECP256R1()), "ES256")],
    ids=["RS256", "ES256"],
)
async def test_a_public_key_takes_the_place_of_the_secret(
    serve: Serve, database: object, private: Private, algorithm: str
) -> None:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    async with serve(NOW, auth="required", jwt_public_key=pem) as client:
        good = token(key=private, algorithm=algorithm)
        assert (await client.get(SUMMARY, headers=bearer(good))).status_code == 200
        # The public key is public, so it must never do as the secret of another algorithm.
        assert_refused(await client.get(SUMMARY, headers=bearer(signed(HS256, claims(), pem))))
        assert_refused(await client.get(SUMMARY, headers=bearer(token())))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "PARALLEL_OPS_JWT_SECRET"),
        ({"JWT_SECRET": "x" * 31}, "PARALLEL_OPS_JWT_SECRET"),
        ({"JWT_SECRET": "x" * 32, "JWT_PUBLIC_KEY": "pem"}, "PARALLEL_OPS_JWT_SECRET"),
        ({"JWT_PUBLIC_KEY": "not a key"}, "PARALLEL_OPS_JWT_PUBLIC_KEY"),
        ({"JWT_SECRET": "x" * 32, "SCRAPE_TOKEN": "short"}, "PARALLEL_OPS_SCRAPE_TOKEN"),
    ],
)
def test_weak_or_unclear_keys_stop_the_start(variables: dict[str, str], named: str) -> None:
    given = {"DATABASE_URL": "postgresql://db/plm", "REDIS_URL": "redis://cache", "TENANTS": "*", **variables}
    with pytest.raises(SettingsError, match=f"^{named}: "):
        from_environment({f"PARALLEL_OPS_{name}": value for name, value in given.items()})
