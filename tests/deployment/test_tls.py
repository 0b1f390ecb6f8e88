"""nginx with the example of TLS, and a certificate that is made here."""

import ssl
from pathlib import Path

import httpx

from demo.process import free_port
from tests.support.api import PREFIX
from tests.support.balancer import CONFIGURATION, Balancer, balanced
from tests.support.certificates import certify
from tests.support.instances import Instance

EXAMPLE = CONFIGURATION / "tls" / "listen.conf"
DEPLOYED = "/etc/nginx/tls/"


async def test_answers_come_by_tls_and_browsers_are_told_to_stay_there(
    instances: list[Instance], tmp_path: Path
) -> None:
    trust, listen = _certified(tmp_path)
    with balanced([instance.port for instance in instances], listen=listen) as running:
        async with httpx.AsyncClient(base_url=_secure(running), verify=trust, timeout=30) as caller:
            answers = [await caller.get(path) for path in (f"{PREFIX}/summary", "/", "/health/ready")]
            form = {"token": "x", "next": "/?window_days=30"}
            answers.append(await caller.post("/sign-in", data=form, headers={"Origin": _secure(running)}))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 303]
    assert {answer.headers["strict-transport-security"] for answer in answers} == {"max-age=31536000"}


async def test_who_comes_without_tls_is_sent_to_it(tmp_path: Path) -> None:
    _, listen = _certified(tmp_path)
    with balanced([free_port()], listen=listen) as running:
        async with httpx.AsyncClient() as caller:
            answer = await caller.get(f"{running.url}/?window_days=30")
        secure = _secure(running)
    assert (answer.status_code, answer.headers["location"]) == (308, f"{secure}/?window_days=30")


def _secure(balancer: Balancer) -> str:
    return balancer.url.replace("http:", "https:")


def _certified(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A caller's trust in a certificate that is made in the folder, and the example with that one."""
    certify(folder / "fullchain.pem", folder / "privkey.pem")
    trust = ssl.create_default_context(cafile=folder / "fullchain.pem")
    return trust, EXAMPLE.read_text().replace(DEPLOYED, f"{folder}/")
