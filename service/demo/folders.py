"""Where the servers' user may read and write, and programs brought to where that user can run them."""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path


def account() -> pwd.struct_passwd:
    """The user that the servers run as: ourselves, or `nobody` for root, whom PostgreSQL refuses."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


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


def _may_enter(path: Path, user: pwd.struct_passwd) -> bool:
    status = path.stat()
    if status.st_uid == user.pw_uid:
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
        os.chown(path, account().pw_uid, account().pw_gid, follow_symlinks=False)
    return into / program.relative_to(site)
