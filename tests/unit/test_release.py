""".ci/release, in a checkout of its own: it tags what is ready, and says what is not."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.children import run_program

FILES = (".ci/release", "CHANGELOG.md", "pyproject.toml", "recorder/pyproject.toml")
NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")


class Checkout:
    """A repository with what the script reads, all of it committed, as version 9.9.9."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        for name in ("pyproject.toml", "recorder/pyproject.toml"):
            self.edit(name, 'version = "0.', 'version = "9.9.9"\nbefore = "0.')
        (folder / "CHANGELOG.md").write_text(
            "# Changes\n\n## 9.9.9 (2026-01-02)\n- One.\n\n## 9.9.8\n- Old.\n"
        )
        self.git("init", "--quiet")
        self.commit()

    def git(self, *words: str) -> str:
        return run_program(["git", *NOBODY, *words], cwd=self.folder, capture_output=True).stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All")

    def edit(self, name: str, before: str, after: str) -> None:
        text = (self.folder / name).read_text()
        assert before in text
        (self.folder / name).write_text(text.replace(before, after, 1))

    def release(self) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_COMMITTER_NAME": "n",
            "GIT_COMMITTER_EMAIL": "n@example.com",
        }
        script = ["bash", str(self.folder / ".ci" / "release")]
        return run_program(script, env=environment, capture_output=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_what_is_ready_is_tagged_once_with_its_changes(checkout: Checkout) -> None:
    assert checkout.release().returncode == 0
    told = checkout.git("tag", "--list", "--format=%(contents)", "v9.9.9")
    assert told.strip().split("\n\n") == ["parallel-ops 9.9.9", "- One."]
    assert "is there already" in checkout.release().stderr


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("CHANGELOG.md", "9.9.9 (2026-01-02)", "9.9.9 (unreleased)", "no heading with the day: ## 9.9.9 (20"),
        ("recorder/pyproject.toml", 'version = "9.9.9"', 'version = "9.9.8"', "another version than 9.9.9"),
    ],
)
def test_what_is_not_ready_is_not(checkout: Checkout, name: str, before: str, after: str, said: str) -> None:
    checkout.edit(name, before, after)
    assert "commit or put away" in checkout.release().stderr
    checkout.commit()
    assert said in checkout.release().stderr
    assert checkout.git("tag", "--list") == ""
