"""docker-compose.yml: what Compose says of it where there is one, and what matters in it."""

import re
import shutil
from typing import Any

import asyncpg
import pytest
import yaml
from sqlalchemy import make_url

from demo.run import READER
from demo.servers import Postgres
from service.environment import PREFIX
from service.settings import Settings, from_environment
from tests.deployment.expressions import DEPLOY
from tests.support.balancer import CONFIGURATION, PLAIN
from tests.support.children import run_program

ROOT = DEPLOY.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
INSTANCES = ["parallel-ops-1", "parallel-ops-2", "parallel-ops-3"]
_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def compose() -> dict[str, Any]:
    """The file, its variables at their defaults."""
    document: dict[str, Any] = _with_defaults(yaml.safe_load(COMPOSE_FILE.read_text()))
    return document


def _with_defaults(node: Any) -> Any:  # noqa: ANN401
    """As Compose fills variables in: in the strings of the document that has been read."""
    if isinstance(node, dict):
        return {key: _with_defaults(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_defaults(value) for value in node]
    return _DEFAULT.sub(r"\1", node) if isinstance(node, str) else node


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"]
    return found


def test_compose_takes_the_file() -> None:
    docker = shutil.which("docker")
    command = [str(docker), "compose"]
    if docker is None or run_program([*command, "version"], capture_output=True, check=False).returncode:
        pytest.skip("no docker compose on this machine")
    checked = run_program(
        [*command, "--file", str(COMPOSE_FILE), "config", "--quiet"],
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""


def test_instances_are_configured_as_the_service_reads_it(services: dict[str, Any]) -> None:
    for name in INSTANCES:
        environment = services[name]["environment"]
        known = {PREFIX + field.upper() for field in Settings.__struct_fields__}
        assert environment.keys() <= known
        settings = from_environment(environment)
        assert settings.auth == "disabled"
        assert make_url(settings.database_url).host in services
        assert make_url(settings.redis_url).host in services
        required = from_environment(
            environment | {f"{PREFIX}AUTH": "required", f"{PREFIX}JWT_SECRET": "s" * 32}
        )
        assert required.scrape_token == compose()["configs"]["scrape_token"]["content"]


def test_instances_have_time_to_end(services: dict[str, Any]) -> None:
    settings = from_environment(services["parallel-ops-1"]["environment"])
    for name in INSTANCES:
        grace = float(services[name]["stop_grace_period"].removesuffix("s"))
        assert grace > settings.drain_seconds + settings.shutdown_seconds


def test_everything_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    for name in INSTANCES:
        assert services[name]["depends_on"]["seed"] == {"condition": "service_completed_successfully"}
        assert services["nginx"]["depends_on"][name] == {"condition": "service_healthy"}
    for service in services.values():
        needed = service.get("depends_on", {})
        assert set(needed) <= services.keys()
        conditions = needed if isinstance(needed, dict) else {}
        healthy = [other for other, how in conditions.items() if how["condition"] == "service_healthy"]
        assert all("healthcheck" in services[other] for other in healthy)


def test_what_is_mounted_is_there(services: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    assert len(mounted) > 5
    assert all((ROOT / path).exists() for path in mounted)
    volumes = {v.split(":")[0] for service in services.values() for v in service.get("volumes", [])}
    assert {volume for volume in volumes if not volume.startswith("./")} == compose()["volumes"].keys()


def test_nginx_and_prometheus_name_services_that_are_there(services: dict[str, Any]) -> None:
    instances = re.findall(
        r"^server ([\w-]+):(\d+) ", (CONFIGURATION / "instances.conf").read_text(), re.MULTILINE
    )
    assert instances == [(name, "8000") for name in INSTANCES]
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = [target for job in scraped for group in job["static_configs"] for target in group["targets"]]
    assert targets == ["nginx:8080", *(f"{name}:8000" for name in INSTANCES)]
    assert (CONFIGURATION / "listen.conf").read_text() == f"{PLAIN}\n"
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"


def test_only_this_machine_reaches_it_and_ours_cannot_be_written_to(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports == [
        "127.0.0.1:8080:8080",
        "127.0.0.1:9090:9090",
        "127.0.0.1:9093:9093",
        "127.0.0.1:3000:3000",
    ]
    for name in (*INSTANCES, "seed", "plm", "nginx", "alertmanager", "receiver"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]


def test_no_service_takes_all_the_memory_and_no_log_the_whole_disk(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name


def test_secrets_are_the_environments() -> None:
    text = COMPOSE_FILE.read_text()
    literal = re.findall(r"^.*(?:PASSWORD|SECRET|TOKEN): (?!\$\{).*$", text, flags=re.MULTILINE)
    assert literal == []
    assert set(re.findall(r"\$\{\w*(?:PASSWORD|TOKEN)\w*:-([^}]*)\}", text)) == {
        "demo-reader",
        "demo-postgres",
        "demo-scrape-token",
        "demo-grafana",
    }


async def test_the_databases_first_start_lets_the_reader_in(
    services: dict[str, Any], postgres: Postgres, admin: asyncpg.Connection
) -> None:
    """The scripts in the order in which PostgreSQL's image runs them; of the shell's, its statement."""
    scripts = [volume.split(":")[:2] for volume in services["postgres"]["volumes"] if "initdb.d" in volume]
    assert [target for _, target in scripts] == sorted(target for _, target in scripts)
    await admin.execute("DROP DATABASE IF EXISTS composed WITH (FORCE)")
    await admin.execute("CREATE DATABASE composed")
    connection = await asyncpg.connect(f"{postgres.url.rpartition('/')[0]}/composed")
    try:
        for source, _ in scripts:
            text = (ROOT / source).read_text()
            if source.endswith(".sh"):
                text = (
                    text.split("<<'SQL'\n")[1].removesuffix("SQL\n").replace(":'password'", "'demo-reader'")
                )
            await connection.execute(text)
        stored = "SELECT rolpassword FROM pg_authid WHERE rolname = $1"
        assert (await connection.fetchval(stored, READER)).startswith("SCRAM-SHA-256$")
        readable = "SELECT has_column_privilege($1, 'meta_conversion_jobs', 'payload', 'SELECT')"
        assert await connection.fetchval(readable, READER)
    finally:
        await connection.execute(f"ALTER ROLE {READER} PASSWORD NULL")
        await connection.close()
