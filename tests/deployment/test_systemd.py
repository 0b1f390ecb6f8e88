"""The unit of systemd: what systemd's own tool says of it, and that it fits the service."""

import re
import sys
from pathlib import Path

import pytest

from service.settings import Settings
from tests.deployment.expressions import DEPLOY
from tests.support.children import run_program
from tests.support.programs import program

UNIT = DEPLOY / "systemd" / "parallel-ops.service"
INSTALLED = "/opt/parallel-ops/bin/parallel-ops"
# Tenths of what systemd calls exposure, of 100: below 20 it says "OK".
EXPOSURE = "20"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, of the program that is installed here."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace(INSTALLED, str(Path(sys.executable).parent / "parallel-ops")))
    return path


def analyze(*words: str) -> str:
    command = [program("systemd-analyze", "systemd"), "--no-pager", *words]
    result = run_program(command, capture_output=True, check=False)
    assert result.returncode == 0, result.stdout[-500:] + result.stderr
    return result.stderr


def test_systemd_takes_the_unit(unit: Path) -> None:
    assert unit.name not in analyze("verify", "--recursive-errors=no", str(unit))


def test_it_may_do_little(unit: Path) -> None:
    analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", str(unit))
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    assert (settings["NoNewPrivileges"], settings["ProtectSystem"]) == ("yes", "strict")
    assert settings["RuntimeDirectory"] == "parallel-ops"


def test_it_has_time_to_end() -> None:
    seconds = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert seconds
    settings = Settings(database_url="", redis_url="")
    assert float(seconds[1]) > settings.drain_seconds + settings.shutdown_seconds
