"""A page whose own name is made to lead to the service reads nothing of it."""

import pytest

from service.check import inspect
from service.dashboard.sign_in import SIGN_IN
from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.instances import environment
from tests.support.tokens import SECRET, bearer, token

pytestmark = pytest.mark.usefixtures("database")

REBOUND = {"Host": "evil.example:8000"}
PATHS = ("/", f"{PREFIX}/summary", f"{PREFIX}/nothing", "/metrics", "/schema/openapi.json", SIGN_IN)


@pytest.mark.parametrize("path", PATHS)
async def test_without_authentication_only_safe_names_are_answered(serve: Serve, path: str) -> None:
    async with serve(NOW) as client:
        refused = await client.get(path, headers=REBOUND)
        answered = await client.get(path, headers={"Host": "127.0.0.1:8000"})
    assert refused.status_code == 421
    assert refused.json()["detail"]["code"] == "parallel_ops_unknown_host"
    assert "ALLOWED_HOSTS" in refused.json()["detail"]["message"]
    assert answered.status_code in (200, 303, 404)


async def test_what_stands_ready_is_not_replayed_to_another_name(serve: Serve) -> None:
    async with serve(NOW) as client:
        for host, status in (("ops", 200), ("ops", 200), ("evil.example", 421)):
            assert (await client.get(f"{PREFIX}/summary", headers={"Host": host})).status_code == status


async def test_health_answers_to_any_name(serve: Serve) -> None:
    async with serve(NOW) as client:
        codes = {
            (await client.get(f"/health/{path}", headers=REBOUND)).status_code for path in ("live", "ready")
        }
    assert codes == {200}


@pytest.mark.parametrize("allowed", ["*", "ops.example.com,evil.example", "*.example"])
async def test_names_can_be_added(serve: Serve, allowed: str) -> None:
    async with serve(NOW, allowed_hosts=allowed) as client:
        assert (await client.get(f"{PREFIX}/summary", headers=REBOUND)).status_code == 200


@pytest.mark.parametrize(("allowed", "status"), [("", 200), ("*", 200), ("ops.example.com", 421)])
async def test_with_tokens_names_matter_once_some_are_given(serve: Serve, allowed: str, status: int) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET, allowed_hosts=allowed) as client:
        answer = await client.get(f"{PREFIX}/summary", headers=REBOUND | bearer(token()))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ("ok", "answers to addresses, names without a dot; others get 421")),
        ({"allowed_hosts": "Ops.example.com"}, ("ok", "names without a dot, ops.example.com; others")),
        ({"allowed_hosts": "*"}, ("advice", "any page that somebody opens may read everything")),
        ({"auth": "required", "jwt_secret": SECRET}, None),
    ],
)
def test_check_says_by_which_names(
    settings: Settings, changes: dict[str, str], told: tuple[str, str] | None
) -> None:
    given = dict(environment(settings)) | {
        f"PARALLEL_OPS_{name.upper()}": value for name, value in changes.items()
    }
    lines = [line for line in inspect(given).checks if line.subject == "names"]
    if told is None:
        assert lines == []
    else:
        (line,) = lines
        assert (line.status, told[1] in line.message) == (told[0], True)
