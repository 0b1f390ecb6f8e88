"""The package as it is installed: all that a command reads is in it."""

import sys
import zipfile
from pathlib import Path

from tests.support.checkout import ROOT
from tests.support.children import run_program
from tests.support.wheels import built_wheel

READ_ALL = """
import parallel_ops_recorder
from service.api import openapi
from service.dashboard import assets
from service.dashboard.pages import _environment, load
from service.dashboard.runbook import runbook
from service.wording.words import LANGUAGES
from demo import run, schema, seed
assert run.__file__.startswith({folder!r}), run.__file__
assert parallel_ops_recorder.__file__.startswith({folder!r}), parallel_ops_recorder.__file__
assert "CREATE ROLE" in run.reader_role_script()
assert len(schema.SCHEMA) > 0 and all(map(seed._statement, ("jobs", "runs", "incidents", "plans", "settle")))
assert len(assets.assets()) > 0
assert "ParallelOpsFiguresStale" in runbook()
assert {{"en", "zh"}} <= set(LANGUAGES)
for language in LANGUAGES:
    load(language)
    assert len(_environment(language).list_templates()) > 0
"""


def test_a_wheel_holds_every_file_that_the_service_and_the_demo_read(tmp_path: Path) -> None:
    folder = tmp_path / "installed"
    for name, project in (("service", ROOT), ("recorder", ROOT / "recorder")):
        zipfile.ZipFile(built_wheel(project, tmp_path / name)).extractall(folder)
    program = READ_ALL.format(folder=str(folder))
    environment = {"PYTHONPATH": str(folder)}
    run = run_program(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
