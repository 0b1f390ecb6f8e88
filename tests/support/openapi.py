"""schemathesis, which holds a running server to its OpenAPI document."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.checkout import ROOT
from tests.support.children import run_program

EXAMPLES = 12
SEED = 20260310


def schemathesis(
    url: str, folder: Path, *options: str, examples: int = EXAMPLES, seconds: float = 100
) -> subprocess.CompletedProcess[str]:
    """Run it, with options of its own, for at most so many seconds."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/schema/openapi.json"),
        *("--checks", "all", "--max-examples", str(examples), "--seed", str(SEED)),
        *("--continue-on-failure", "--no-color", *options),
    ]
    return run_program(
        command,
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.support.openapi_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=seconds,
        check=False,
    )
