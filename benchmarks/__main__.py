"""make bench: run the benchmarks, and put their tables into docs/benchmarks.md."""

import shutil
import time
from collections.abc import Callable

import rich_click as click

from benchmarks import board, cold, duty, growth, hot, rollover, scale_out, start, tenants
from benchmarks.report import Table, as_markdown, publish
from tests.support.ending import end_in_order

BENCHMARKS: dict[str, Callable[[], Table]] = {
    "hot": hot.run,
    "cold": cold.run,
    "growth": growth.run,
    "rollover": rollover.run,
    "scale-out": scale_out.run,
    "start": start.run,
    "board": board.run,
    "duty": duty.run,
    "tenants": tenants.run,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--dry-run", is_flag=True, help="Print the tables, and leave docs/benchmarks.md as it is.")
def main(names: tuple[str, ...], dry_run: bool) -> None:
    """Run all benchmarks, an hour and a half, or those that are NAMED. Leave the machine alone meanwhile."""
    if shutil.which("wrk") is None:
        raise click.ClickException("wrk is missing; on Debian: apt-get install wrk")
    end_in_order()
    for name in names or BENCHMARKS:
        click.echo(f"{name} ...", err=True)
        started = time.monotonic()
        table = BENCHMARKS[name]()
        click.echo(as_markdown(table))
        click.echo(f"{name}: {time.monotonic() - started:.0f} s", err=True)
        if not dry_run:
            publish(name, table)


if __name__ == "__main__":
    main()
