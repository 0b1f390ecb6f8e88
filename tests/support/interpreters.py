"""The Pythons of this machine beside the one that runs the tests."""

import os
import shutil
import sys
from pathlib import Path

from tests.support.children import run_program

TELL = "import sys; print(*sys.version_info[:2], sep='.'); print(sys.executable)"
OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


def python(version: str) -> Path | None:
    """A Python of this version, as "3.12", if there is one: ours, on the PATH, or one that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    ours = [Path(sys.executable)] if version == OURS else []
    found = shutil.which(f"python{version}")
    on_path = [Path(found)] if found else []
    candidates = [*ours, *on_path, *sorted(kept.glob(f"{version}.*/bin/python"))]
    return next((path for path in map(_real, candidates) if path is not None), None)


def _real(candidate: Path) -> Path | None:
    """The interpreter behind a name; None where it does not run, like pyenv's shim of an unused version."""
    told = run_program([candidate, "-c", TELL], capture_output=True, check=False)
    return Path(told.stdout.splitlines()[1]) if told.returncode == 0 else None
