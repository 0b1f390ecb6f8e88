"""Pictures of the duty board over the demo's data: `make screenshots` puts them into build/screenshots.

docs/duty-board.png is the one called `warning`.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click
from msgspec import Struct
from playwright.async_api import Browser, ViewportSize, async_playwright

from demo.process import free_port
from demo.run import demo_environment
from service.settings import Settings
from tests.browser.chromium import ARGUMENTS, EXECUTABLE
from tests.support.ending import end_in_order
from tests.support.served import served

ROWS = 20_000
DESK, PHONE = ViewportSize(width=1440, height=960), ViewportSize(width=390, height=844)
CALM = {
    "slo_overlay_cache_hit_rate_warn": "0.6",
    "slo_doc_sync_dead_letter_rate_warn": "0.15",
    "slo_workflow_failed_rate_warn": "0.08",
    "slo_breakage_open_rate_warn": "0.7",
}


class Picture(Struct, frozen=True):
    """What is photographed: a view, in a window of some size, of a service with some settings."""

    name: str
    view: str
    size: ViewportSize
    variables: Mapping[str, str] = {}


async def take(browser: Browser, address: str, picture: Picture, folder: Path) -> None:
    """Photograph one view as somebody sees it who has just opened it."""
    page = await browser.new_page(viewport=picture.size, locale="en-GB")
    await page.goto(address + picture.view, wait_until="networkidle")
    await page.screenshot(path=folder / f"{picture.name}.png")
    await page.close()


async def photograph(settings: Settings, pictures: list[Picture], folder: Path) -> None:
    """Serve for each picture in turn and take it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        for picture in pictures:
            variables: dict[str, Any] = dict(picture.variables)
            with served(settings, **variables) as address:
                await take(browser, address, picture, folder)
            click.echo(folder / f"{picture.name}.png")
        await browser.close()


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/screenshots"))
def main(folder: Path) -> None:
    """Light, dark, phone, warning and degraded."""
    if EXECUTABLE is None:
        sys.exit("There is no chromium on this machine; on Debian: apt-get install chromium")
    end_in_order()
    folder.mkdir(parents=True, exist_ok=True)
    away = {"redis_url": f"redis://127.0.0.1:{free_port()}/0"}
    pictures = [
        Picture("light", "/?theme=light&window_days=30", DESK, CALM),
        Picture("dark", "/?theme=dark&window_days=90", DESK),
        Picture("phone", "/?theme=dark", PHONE),
        Picture("warning", "/?theme=light&window_days=14", DESK),
        Picture("degraded", "/?theme=light&window_days=30", DESK, CALM | away),
    ]
    with demo_environment(None, ROWS) as demo:
        settings = Settings(database_url=demo.database_url, redis_url=demo.redis_url, auth="disabled")
        asyncio.run(photograph(settings, pictures, folder))


if __name__ == "__main__":
    main()
