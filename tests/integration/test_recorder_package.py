"""The recorder as a PLM installs it: a wheel of its own that brings one package, and needs redis-py alone."""

import shutil
import sys
import zipfile
from collections.abc import Generator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from redis import Redis

from demo.servers import Valkey
from tests.support.checkout import ROOT
from tests.support.children import run_program
from tests.support.interpreters import python
from tests.support.recorders import emptied, hits
from tests.support.wheels import built_wheel

# Pythons that are out, from the oldest that is promised.
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
# redis-py itself needs the second one, on 3.11.0 to 3.11.2 alone.
NEEDED = ("redis", "async-timeout")
INSTALL_SECONDS = 60

COUNT_A_HIT = """
import sys
from importlib.util import find_spec
from parallel_ops_recorder import OverlayRecorder

assert sys.version_info[:2] == tuple(map(int, sys.argv[1].split("."))), sys.version
assert not any(map(find_spec, ("service", "demo", "tests", "msgspec", "pip"))), sys.path
with OverlayRecorder(sys.argv[2], ttl_seconds=300, max_entries=1000) as recorder:
    recorder.hit()
assert recorder.dropped == 0
"""


@pytest.fixture
def redis(valkey: Valkey) -> Generator[Redis]:
    yield from emptied(valkey)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(ROOT / "recorder", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_brings_one_package_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (licence,) = (name for name in names if name.endswith("/LICENSE"))
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        text = archive.read(licence).decode()
        fields = archive.read(metadata).decode().splitlines()
    assert {name.partition("/")[0] for name in names} == {
        "parallel_ops_recorder",
        "parallel_ops_recorder-0.1.0.dist-info",
    }
    assert "parallel_ops_recorder/py.typed" in names
    assert text == (ROOT / "LICENSE").read_text()
    needs = [field for field in fields if field.startswith("Requires-")]
    assert needs == ["Requires-Python: >=3.11", "Requires-Dist: redis>=5"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_program_that_has_it_and_redis_py_counts(
    wheel: Path, tmp_path: Path, valkey: Valkey, redis: Redis, version: str
) -> None:
    interpreter = python(version)
    if interpreter is None:
        pytest.skip(f"no Python {version} on this machine")
    bare = bare_environment(interpreter, tmp_path / "plm", wheel)
    program: list[str | Path] = [bare, "-I", "-c", COUNT_A_HIT, version, valkey.url]
    done = run_program(program, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert hits(redis) == 1


def bare_environment(interpreter: Path, folder: Path, wheel: Path) -> Path:
    """The Python of a new environment that has redis-py, copied from ours, and the wheel; not even pip."""
    run_program([interpreter, "-m", "venv", "--without-pip", folder], check=True)
    bare = folder / "bin" / "python"
    (site,) = folder.glob("lib/python3.*/site-packages")
    for name in NEEDED:
        copy_distribution(name, site)
    pip = (sys.executable, "-m", "pip", "--python", bare)
    run_program([*pip, "install", "--quiet", "--no-index", wheel], timeout=INSTALL_SECONDS)
    return bare


def copy_distribution(name: str, site: Path) -> None:
    """What we have of a distribution in pure Python, so that another version of Python can have it, too."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return
    for file in found.files or ():
        if not {"..", "__pycache__"}.intersection(file.parts):
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file.locate(), site / file)
