"""Debian's Chromium, and how it is started: without asking anybody for updates."""

import shutil
from typing import Any

from playwright.async_api import Page

from tests.support.api import PREFIX
from tests.support.board_figures import shown_figure

EXECUTABLE = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names that are not this machine's own: what browsers trust less, over plain HTTP.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]


async def figures(page: Page) -> dict[str, float | None]:
    """Every figure on the page by its name, as its exact value; None where the page says "no data"."""
    found: list[tuple[str, str | None]] = await page.eval_on_selector_all(
        "[data-figure]", "all => all.map(one => [one.dataset.figure, one.getAttribute('value')])"
    )
    return {name: None if value is None else float(value) for name, value in found}


async def answer(page: Page, address: str, **parameters: Any) -> Any:  # noqa: ANN401
    """What the API answers to the same browser."""
    response = await page.request.get(address, params=parameters)
    assert response.ok, await response.text()
    return await response.json()


async def of_the_api(page: Page, **parameters: Any) -> dict[str, float | None]:  # noqa: ANN401
    """The same figures as the API gives them, for the names that the page shows."""
    address = "/".join(page.url.split("/")[:3]) + PREFIX
    summary = await answer(page, f"{address}/summary", **parameters)
    jobs = await answer(page, f"{address}/doc-sync/failures", **parameters)
    runs = await answer(page, f"{address}/workflow/failures", **parameters)
    lists = {
        **{"jobs": jobs["total"], "runs": runs["total"]},
        "incidents": summary["breakages"]["open_total"],
    }
    found = {}
    for name in await figures(page):
        section, _, field = name.partition(".")
        found[name] = lists[field] if section == "failures" else shown_figure(summary, section, field)
    return found
