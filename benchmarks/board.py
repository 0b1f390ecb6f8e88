"""What the duty board costs: the processor time of a page, hot and newly written, and its weight."""

import re
from time import sleep

import httpx
import psutil
import rich_click as click

REQUESTS = 500


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Of a running service.")
@click.option("--pid", required=True, type=int, help="Of the worker that answers.")
@click.option("--view", default="/", show_default=True, help="Which view of the board.")
def main(url: str, pid: int, view: str) -> None:
    """Ask a running service for the board, and read what its process has used meanwhile."""
    worker = psutil.Process(pid)
    with httpx.Client(base_url=url, headers={"accept-encoding": "gzip"}) as client:
        page = client.get(view)
        sleep(0.1)  # what the first page set off is over
        before = worker.cpu_times()
        for _ in range(REQUESTS):
            page = client.get(view).raise_for_status()
        after = worker.cpu_times()
        files = sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)))
        sizes = {file: len(client.get(file).content) for file in files}
    spent = (after.user + after.system - before.user - before.system) / REQUESTS
    click.echo(f"processor time a page: {spent * 1000:.2f} ms over {REQUESTS} requests")
    click.echo(
        f"page {len(page.content)} B, with {sizes}: {len(page.content) + sum(sizes.values())} B in all"
    )


if __name__ == "__main__":
    main()
