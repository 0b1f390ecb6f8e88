"""TLS to PostgreSQL and Redis, and what is told where a certificate is refused."""

import asyncio
from collections.abc import Generator

import asyncpg
import pytest
import pytest_asyncio
import structlog
from msgspec import Struct

from demo.run import reader_role_script
from demo.schema import create_schema
from service.check import Line, inspect
from service.settings import Settings
from tests.support.addresses import reader_url
from tests.support.api import PREFIX
from tests.support.certificates import ELSEWHERE, HERE
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.folders import passing_folder
from tests.support.tls_servers import Certificate, TlsPostgres, running
from tests.support.tokens import SECRET
from tests.support.valkey_sets import PRIMARY
from tests.support.waiting import probed

SUMMARY = f"{PREFIX}/summary?window_days=90"
# By the certificate that is trusted: what is told, and what to do.
SIGNED_BY_NOBODY = ("signed by nobody whom this process trusts", "Name the file with the certificate")
OTHER_NAME = ("is for another name than its address has", "Write a name that the certificate has")
EXPIRED = ("has expired, or is not valid yet", "Have a new one issued")


class Case(Struct, frozen=True):
    """Which certificate a server shows, which one is trusted, and what is told of it."""

    shown: str
    trusted: str
    told: tuple[str, str]

    def is_told(self, text: str) -> bool:
        """Whether a text says what is wrong and what to do."""
        return all(each in text for each in self.told)


CASES = [
    Case("right", "other", SIGNED_BY_NOBODY),
    Case("elsewhere", "elsewhere", OTHER_NAME),
    Case("expired", "expired", EXPIRED),
]
FORMS = {
    "server": "rediss://127.0.0.1:{port}/0",
    "cluster": "rediss+cluster://127.0.0.1:{port}/",
    "sentinel": f"rediss+sentinel://127.0.0.1:{{port}}/{PRIMARY}/0",
}


class Certificates(Struct, frozen=True):
    """One that is right for the servers, and others that are not; `other` is nobody's."""

    right: Certificate
    elsewhere: Certificate
    expired: Certificate
    other: Certificate


@pytest.fixture(scope="module")
def certificates() -> Generator[Certificates]:
    """In a folder that the servers' user can enter."""
    with passing_folder() as folder:
        yield Certificates(
            right=Certificate(folder / "right"),
            elsewhere=Certificate(folder / "elsewhere", ELSEWHERE),
            expired=Certificate(folder / "expired", HERE, days=-1),
            other=Certificate(folder / "other"),
        )


@pytest.fixture(scope="module")
def secure(certificates: Certificates) -> Generator[TlsPostgres]:
    """A PostgreSQL with TLS."""
    with passing_folder() as folder:
        server = TlsPostgres(folder / "postgres", certificates.right)
        server.start()
        yield server
        server.kill()


@pytest_asyncio.fixture
async def plm(secure: TlsPostgres, certificates: Certificates) -> str:
    """Its address, with the PLM's tables behind it; what is missing is whom to trust."""
    connection = await asyncpg.connect(f"{secure.url}?sslmode=require")
    if not await connection.fetchval("SELECT to_regclass('meta_conversion_jobs') IS NOT NULL"):
        await create_schema(connection)
        await connection.execute(reader_role_script())
    await connection.close()
    return f"{reader_url(secure)}?sslmode=verify-full"


async def problem(settings: Settings, **changes: str) -> Line:
    """The only problem that `check` finds."""
    given = {"database_url": settings.database_url, "redis_url": settings.redis_url}
    given |= {"jwt_secret": SECRET, "tenants": "*"}
    variables = {f"PARALLEL_OPS_{name.upper()}": value for name, value in (given | changes).items()}
    report = await asyncio.to_thread(inspect, variables)
    (line,) = [each for each in report.checks if each.status == "problem"]
    return line


@pytest.mark.parametrize("by_variable", [False, True])
async def test_postgresql_is_read_by_tls(
    serve: Serve,
    plm: str,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    by_variable: bool,
) -> None:
    trusted = certificates.right.file
    if by_variable:
        monkeypatch.setenv("PGSSLROOTCERT", str(trusted))
    url = plm if by_variable else f"{plm}&sslrootcert={trusted}"
    async with serve(NOW, database_url=url) as client:
        await probed(client)
        assert (await client.get(SUMMARY)).status_code == 200


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.shown)
async def test_a_postgresql_whose_certificate_will_not_do_is_refused(
    serve: Serve, settings: Settings, secure: TlsPostgres, certificates: Certificates, case: Case
) -> None:
    secure.stop()
    secure.present(getattr(certificates, case.shown))
    secure.start()
    trusted = getattr(certificates, case.trusted).file
    url = f"{reader_url(secure)}?sslmode=verify-full&sslrootcert={trusted}"
    line = await problem(settings, database_url=url)
    with structlog.testing.capture_logs() as logs:
        async with serve(NOW, database_url=url) as client:
            ready = await probed(client, 503)
            assert (await client.get(SUMMARY)).status_code == 503
    reason = ready.json()["checks"]["postgresql"]["reason"]
    logged = [entry["error"] for entry in logs if entry["event"] == "computation failed"]
    assert logged
    for said in (f"{line.message} {line.remedy}", reason, *logged):
        assert case.is_told(said), said


@pytest.mark.parametrize("form", FORMS)
async def test_redis_is_asked_by_tls(
    serve: Serve, database: object, certificates: Certificates, form: str
) -> None:
    with passing_folder() as folder, running(form, folder, certificates.right) as server:
        url = f"{FORMS[form].format(port=server.port)}?ssl_ca_certs={certificates.right.file}"
        async with serve(NOW, redis_url=url) as client:
            answer = await client.get(SUMMARY)
            assert (answer.status_code, answer.json()["degraded"]) == (200, [])
            assert (await probed(client)).json()["checks"]["redis"]["status"] == "ok"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES[:2], ids=lambda case: case.shown)
async def test_a_redis_whose_certificate_will_not_do_is_refused(
    serve: Serve, settings: Settings, certificates: Certificates, form: str, case: Case
) -> None:
    shown, trusted = (getattr(certificates, name) for name in (case.shown, case.trusted))
    with (
        passing_folder() as folder,
        running(form, folder, shown) as server,
        structlog.testing.capture_logs() as logs,
    ):
        url = f"{FORMS[form].format(port=server.port)}?ssl_ca_certs={trusted.file}"
        line = await problem(settings, redis_url=url)
        async with serve(NOW, redis_url=url) as client:
            answer = await client.get(SUMMARY)
            ready = await probed(client)
    assert (answer.status_code, answer.json()["degraded"]) == (200, ["overlay_cache"])
    away = [entry["error"] for entry in logs if entry["event"].startswith("redis is away")]
    for said in (f"{line.message} {line.remedy}", ready.json()["checks"]["redis"]["reason"], *away):
        assert case.is_told(said), said
    assert away
