"""Where the servers' user may read and write, and programs brought to where that user can run them."""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct


class Account(Struct, frozen=True):
    """A user of the system."""

    name: str
    uid: int
    gid: int


def account() -> Account:
    """The user that the servers run as: ourselves, or `nobody` for root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_name, nobody.pw_uid, nobody.pw_gid)


def give_away(path: Path) -> None:
    """Make the servers' user the owner of what we have made for it."""
    if os.geteuid() == 0:
        os.chown(path, account().uid, account().gid, follow_symlinks=False)


def temporary_folder() -> Path:
    """A new folder that the servers' user can enter; the caller removes it."""
    places = (tempfile.gettempdir(), "/tmp", "/var/tmp")  # noqa: S108
    parent = next((place for place in places if closed_folder(Path(place)) is None), places[0])
    folder = Path(tempfile.mkdtemp(prefix="parallel-ops-", dir=parent))
    folder.chmod(0o711)
    return folder


def closed_folder(path: Path) -> Path | None:
    """The topmost folder on the way to `path`, itself included, that the servers' user cannot enter."""
    if os.geteuid() != 0:
        return None
    user = account()
    return next((p for p in reversed((path, *path.parents)) if not _may_enter(p, user)), None)


def _may_enter(path: Path, user: Account) -> bool:
    status = path.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    return bool(status.st_mode & stat.S_IXOTH)


def within_reach(program: Path, site: Path, needs: Sequence[str], into: Path) -> Path:
    """`program`, or where the servers' user cannot run it, a copy of it and what it needs.

    Neither a home folder nor a virtual environment in it is opened up to make the program run.
    The copy keeps the layout below `site`, by which the program finds its libraries.
    """
    if closed_folder(program) is None:
        return program
    shutil.rmtree(into, ignore_errors=True)
    for need in needs:
        if (site / need).is_dir():
            shutil.copytree(site / need, into / need, ignore=shutil.ignore_patterns("include", "*.a", "pgxs"))
        else:
            (into / need).parent.mkdir(parents=True)
            shutil.copy2(site / need, into / need)
    for path in (into, *into.rglob("*")):
        give_away(path)
    return into / program.relative_to(site)
