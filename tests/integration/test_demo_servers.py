"""The embedded servers: they start, stop, freeze and crash on demand, and never outlive their owner."""

import asyncio
import os
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

import service
from demo import folders
from demo.afterwards import Afterwards, go_on
from demo.embedded import embedded_servers
from demo.folders import Account
from demo.process import ServerError
from demo.servers import Postgres, Valkey
from tests.support.children import OURSELVES, ending_with_us, run_program, taken_over
from tests.support.folders import passing_folder

DEADLINE_SECONDS = 30.0
# Holds the servers until it is killed; the folder to keep is optional.
HOLDER = """
import pathlib, signal, sys
from demo.folders import Account
from demo.embedded import embedded_servers
with embedded_servers(pathlib.Path(sys.argv[1]) if sys.argv[1:] else None) as servers:
    print(servers.folder, flush=True)
    signal.pause()
"""
# So that a Python outside the virtual environment finds the same packages.
PYTHONPATH = (Path(service.__file__).parent.parent, sysconfig.get_path("purelib"))
HOLDER_ENV = taken_over() | {"PYTHONPATH": os.pathsep.join(map(str, PYTHONPATH))}


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    with passing_folder() as path:
        yield path


@pytest.fixture(scope="module")
def shared_postgres(folder: Path) -> Postgres:
    """One for all tests: a new one costs a second."""
    return Postgres(folder / "postgres")


@pytest.fixture
def postgres(shared_postgres: Postgres) -> Generator[Postgres]:
    shared_postgres.start()
    yield shared_postgres
    shared_postgres.kill()


@pytest.fixture
def valkey(folder: Path) -> Generator[Valkey]:
    server = Valkey(folder / "valkey", options={"maxmemory": "5mb"})
    server.start()
    yield server
    server.kill()


@pytest.fixture
def valkey_that_keeps(folder: Path) -> Generator[Valkey]:
    server = Valkey(folder / "valkey_that_keeps", options={"appendonly": "yes"})
    server.start()
    yield server
    server.kill()


async def value(url: str, statement: str) -> object:
    """What one statement gives on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        connection.terminate()


async def test_postgres_counts_in_utc_and_lowers_unicode(postgres: Postgres) -> None:
    assert await value(postgres.url, "SELECT lower('ÄÉЖ')") == "äéж"
    assert await value(postgres.url, "SHOW timezone") == "UTC"
    assert await value(postgres.url, "SHOW server_encoding") == "UTF8"


async def test_postgres_keeps_port_and_data_over_a_stop_and_over_a_crash(postgres: Postgres) -> None:
    url = postgres.url
    await value(postgres.url, "CREATE TABLE kept AS SELECT 7 AS number")
    postgres.stop()
    postgres.start()
    assert await value(postgres.url, "SELECT number FROM kept") == 7

    await value(postgres.url, "CHECKPOINT")
    postgres.kill()
    assert (postgres.data / "postmaster.pid").exists()
    postgres.start()
    assert await value(postgres.url, "SELECT number FROM kept") == 7
    assert postgres.url == url


async def test_postgres_starts_though_the_pid_of_its_crashed_self_is_taken(
    postgres: Postgres, valkey: Valkey
) -> None:
    crashed = str(postgres.pid)
    postgres.kill()
    lock = postgres.data / "postmaster.pid"
    lock.write_text(lock.read_text().replace(crashed, str(valkey.pid), 1))
    postgres.start()
    assert await value(postgres.url, "SELECT 1") == 1


async def test_postgres_frozen_gives_no_answer_until_it_goes_on(postgres: Postgres) -> None:
    postgres.pause()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(value(postgres.url, "SELECT 1"), 0.2)
    postgres.resume()
    assert await value(postgres.url, "SELECT 1") == 1


def test_a_backend_that_starts_while_postgres_is_frozen_is_frozen_too(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = psutil.Process(postgres.pid).children
    known = set(children())
    with ExitStack() as late:

        def someone_comes(*processes: int) -> Afterwards:
            if known.issuperset(children()):
                late.enter_context(socket.create_connection(("127.0.0.1", postgres.port)))
            while known.issuperset(children()):
                time.sleep(0.01)
            return go_on(*processes)

        monkeypatch.setattr("demo.process.go_on", someone_comes)
        postgres.pause()
        assert {each.status() for each in children()} <= {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
        postgres.resume()


def test_postgres_frozen_can_still_be_stopped(postgres: Postgres) -> None:
    postgres.pause()
    postgres.stop()
    assert not postgres.running


def test_postgres_says_in_its_own_words_why_it_cannot_start(postgres: Postgres) -> None:
    postgres.stop()
    server = Postgres(postgres.folder, settings={"shared_preload_libraries": "no_such_library"})
    with pytest.raises(ServerError, match=r"ended while starting.*(?s:.*)no_such_library"):
        server.start()
    assert not server.running


def test_postgres_refuses_data_that_another_one_is_running_on(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.servers.ORPHAN_SECONDS", 0)
    with pytest.raises(ServerError, match=f"is in use by the PostgreSQL with process id {postgres.pid}"):
        Postgres(postgres.folder).start()
    assert postgres.running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another user")
def test_programs_are_copied_to_where_the_servers_user_can_run_them(
    postgres: Postgres, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, closed = Path(sys.prefix), folders.closed_folder
    monkeypatch.setattr(folders, "closed_folder", lambda p: site if p.is_relative_to(site) else closed(p))
    for server in (postgres, valkey):
        server.stop()
    for copied in (Postgres(postgres.folder), Valkey(valkey.folder)):
        copied.start()
        assert psutil.Process(copied.pid).exe().startswith(str(copied.folder))
        copied.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as another user")
def test_a_folder_that_the_servers_user_cannot_enter_is_named(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServerError, match=f"cannot enter {closed}: use a data folder elsewhere"):
        Postgres(closed / "postgres").start()


async def test_valkey_keeps_its_port_but_nothing_else_over_a_restart(valkey: Valkey) -> None:
    url = valkey.url
    async with Redis.from_url(url) as client:
        assert await client.config_get("maxmemory") == {"maxmemory": "5242880"}
        await client.set("a", 1)
    for end in (valkey.stop, valkey.kill):
        end()
        valkey.start()
        async with Redis.from_url(url) as client:
            assert await client.get("a") is None


async def test_valkey_keeps_its_data_where_that_is_asked_for(valkey_that_keeps: Valkey) -> None:
    async with Redis.from_url(valkey_that_keeps.url) as client:
        await client.set("a", 1)
    valkey_that_keeps.stop()
    valkey_that_keeps.start()
    async with Redis.from_url(valkey_that_keeps.url) as client:
        assert await client.get("a") == b"1"


async def test_valkey_frozen_gives_no_answer_until_it_goes_on(valkey: Valkey) -> None:
    async with Redis.from_url(valkey.url, socket_timeout=0.2, retry=None) as client:
        await client.ping()
        valkey.pause()
        with pytest.raises(Exception, match="Timeout"):
            await client.ping()
        valkey.resume()
        assert await client.ping()


def test_two_demos_run_side_by_side_and_leave_nothing_behind_even_when_killed() -> None:
    with embedded_servers() as servers, holder() as (other_demo, other_folder):
        assert processes_in(servers.folder)
        assert processes_in(other_folder)
        other_demo.kill()
        wait_until(lambda: not processes_in(other_folder) and not Path(other_folder).exists())
        assert processes_in(servers.folder)
    assert not processes_in(servers.folder)
    assert not Path(servers.folder).exists()


async def test_a_data_folder_is_kept_and_used_again(folder: Path) -> None:
    with embedded_servers(folder / "kept") as servers:
        await value(servers.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
        async with Redis.from_url(servers.redis_url) as client:
            await client.set("kept", 7)
    assert not processes_in(servers.folder)
    with embedded_servers(folder / "kept") as servers:
        assert await value(servers.database_url, "SELECT number FROM kept") == 7
        async with Redis.from_url(servers.redis_url) as client:
            assert await client.get("kept") == b"7"


def test_a_data_folder_serves_one_demo_at_a_time(folder: Path) -> None:
    with (
        embedded_servers(folder / "kept"),
        pytest.raises(ServerError, match="kept is in use by another running demo"),
        embedded_servers(folder / "kept"),
    ):
        pass


def test_killing_demo_and_guardian_at_once_leaves_no_server(folder: Path) -> None:
    with holder(str(folder / "kept")) as (demo, held):
        for child in psutil.Process(demo.pid).children():
            child.kill()
        demo.kill()
        wait_until(lambda: not processes_in(held))
    with embedded_servers(folder / "kept") as servers:  # what was left is no obstacle
        assert processes_in(servers.folder)


def test_a_killed_guardian_leaves_no_server_and_no_folder() -> None:
    with embedded_servers() as servers:
        for child in psutil.Process().children():
            if "demo.guardian" in child.cmdline():
                child.kill()
        wait_until(lambda: not processes_in(servers.folder))
    assert not Path(servers.folder).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as a plain user already")
def test_a_plain_user_gets_servers_too() -> None:
    python = python_for_nobody()
    if python is None:
        pytest.skip(f"the user nobody can run neither {sys.executable} nor a Python like it")
    with holder(python=python, user=folders.account()) as (demo, held):
        assert {process.username() for process in processes_in(held)} == {"nobody"}
        demo.kill()
        wait_until(lambda: not processes_in(held) and not Path(held).exists())


def python_for_nobody() -> str | None:
    """Ours, or another of its version: ours may be in a home folder."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        with suppress(OSError):
            command = [python, "-c", "import demo.guardian"]
            run = run_program(
                command,
                user=folders.account(),
                check=False,
                env=HOLDER_ENV,
                cwd="/",
                stderr=subprocess.DEVNULL,
            )
            if run.returncode == 0:
                return python
    return None


@contextmanager
def holder(
    *arguments: str, python: str = sys.executable, user: Account = OURSELVES
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process with servers of its own, and their folder."""
    process = subprocess.Popen(
        ending_with_us([python, "-c", HOLDER, *arguments], user=user),
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=HOLDER_ENV,
    )
    with process:
        assert process.stdout is not None
        folder = process.stdout.readline().strip()
        assert folder, "it got no servers"
        yield process, folder
        process.kill()


def processes_in(folder: str) -> list[psutil.Process]:
    """The live processes that work in the folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd().startswith(folder):
                found.append(process)
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll: what is waited for happens in another process."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
