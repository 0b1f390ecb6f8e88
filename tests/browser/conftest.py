"""Debian's Chromium before the real service, PostgreSQL and Valkey. No browser is ever downloaded."""

import shutil
from collections.abc import AsyncIterator, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from demo.servers import Postgres, Valkey
from service.settings import Settings
from tests.browser.chromium import ARGUMENTS
from tests.browser.texts import ERROR, FAILED_RUN, HOSTILE
from tests.support.addresses import reader_url
from tests.support.builders import Database, incident, insert, job, run, template
from tests.support.clock import long_ticks
from tests.support.fixtures import PLENTY
from tests.support.programs import program
from tests.support.served import served

# All tests together do not take longer.
ALL_SECONDS = 1200


class Watch:
    """What the browser complained about, and which hosts it asked."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
        context.on("console", lambda message: self._say(message.type, message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", lambda dialog: self.complaints.append(f"a dialog: {dialog.message}"))
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))

    def _say(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    executable = program("chromium", "chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """A browser as nobody has used it, of an English reader; closed with no complaint and no other host."""
    context = await chromium.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    watch = Watch(context)
    yield context
    await context.close()
    assert watch.hosts <= {"127.0.0.1"}
    # The browser itself reports answers that are refusals, and servers that are away.
    assert [text for text in watch.complaints if "Failed to load resource" not in text] == []


@pytest_asyncio.fixture
async def page(context: BrowserContext) -> Page:
    """A tab of it."""
    return await context.new_page()


@pytest.fixture(scope="session")
def settings(postgres: Postgres, valkey: Valkey) -> Settings:
    """The service's settings: it reads under the reader role."""
    database_url = reader_url(postgres)
    return Settings(
        database_url=database_url, redis_url=valkey.url, auth="disabled", tenants="*", database_share=PLENTY
    )


@pytest_asyncio.fixture(scope="session")
async def rows(admin: asyncpg.Connection) -> Database:
    """A fortnight that trips three alerts; on some days of it nothing happens. Tests only add to it."""
    now = datetime.now(UTC)
    ages = [timedelta(hours=5 + 7 * n) for n in range(45) if not 72 <= 5 + 7 * n <= 120]
    written = Database(
        jobs=[
            *(
                job(
                    id=str(uuid4()),
                    status="failed",
                    attempt_count=3,
                    last_error=ERROR,
                    payload={"site_id": "S2" if n % 3 else HOSTILE},
                    created_at=now - age,
                )
                for n, age in enumerate(ages)
            ),
            *(job(created_at=now - age) for age in ages for _ in range(3)),
        ],
        runs=[run(**FAILED_RUN, id=str(uuid4()), created_at=now - age) for age in ages[:12]]
        + [run(created_at=now - age) for age in ages for _ in range(4)],
        incidents=[incident(status="open", severity="high", created_at=now - age) for age in ages],
        plans=[template("T-1", active=True), template("T-2"), template(HOSTILE, active=True)],
    )
    await insert(admin, written)
    return written


@pytest.fixture(scope="session")
def board(settings: Settings, rows: Database) -> Generator[str]:
    """The address of a service whose figures stand still, over those rows."""
    with served(settings, refresh_seconds=str(long_ticks(ALL_SECONDS)), max_stale_seconds="3600") as address:
        yield address


@pytest.fixture
def lively(settings: Settings, rows: Database) -> Generator[str]:
    """The address of a service that looks again each second."""
    with served(settings, refresh_seconds="1") as address:
        yield address


@pytest.fixture
def own_folder(server_folder: Path) -> Generator[Path]:
    """A folder for servers that one test breaks."""
    folder = server_folder / "own"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
