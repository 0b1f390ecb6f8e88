"""The command line: parallel-ops demo, serve and check."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from service.version import VERSION

if TYPE_CHECKING:
    from service.settings import Settings

_SOME = click.IntRange(min=1)
MISCONFIGURED = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION)
def main() -> None:
    """How a PLM's five parallel side tracks are doing, in one place."""


def _where(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every command which listens takes."""
    for name, kind, default, meaning in (
        ("--workers", _SOME, 1, "Processes that answer requests."),
        ("--port", click.IntRange(1, 65535), 8000, "Port to listen on."),
        ("--host", click.STRING, "127.0.0.1", "Address to listen on."),
    ):
        command = click.option(name, type=kind, default=default, show_default=True, help=meaning)(command)
    return command


@main.command()
@_where
@click.option(
    "--rows", type=_SOME, default=20_000, show_default=True, help="Jobs to make up, and as many runs."
)
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Keep the data here and use it again the next time."
)
@click.option(
    "--tenants", type=click.IntRange(min=0), default=0, help="So many, with a database and a token each."
)
def demo(  # noqa: PLR0913 - an option each
    host: str, port: int, *, workers: int, rows: int, data_dir: Path | None, tenants: int
) -> None:
    """Start a PostgreSQL and a Valkey, fill them with 100 believable days, and serve them.

    Ends with Ctrl-C, and takes everything it started with it.
    """
    from demo.run import Address, run_demo
    from demo.tenants import tenants_of

    run_demo(Address(host, port, workers), rows, data_dir, tenants_of(tenants))


@main.command()
@_where
def serve(host: str, port: int, workers: int) -> None:
    """Serve the API, configured by PARALLEL_OPS_* variables."""
    settings = _settings()
    from service.serving import CannotListen, Serving, refuse_taken
    from service.serving import serve as run

    try:
        refuse_taken(host, port)
    except CannotListen as error:
        raise click.ClickException(str(error)) from None
    run(
        Serving(
            host,
            port,
            workers,
            drain_seconds=settings.drain_seconds,
            shutdown_seconds=settings.shutdown_seconds,
            log_format=settings.log_format,
        )
    )


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object.")
@click.option("--tenant", help="Whose database to look at, where there are many: acme, or acme.ORGANISATION.")
def check(as_json: bool, tenant: str | None) -> None:
    """Look whether the configured database and Redis are what the service needs.

    Changes nothing. The exit status is 0 when the service can work, and 1 when it cannot.
    """
    from service.check import as_text, inspect

    report = inspect(os.environ, tenant)
    click.echo(report.as_json() if as_json else as_text(report))
    if not report.ok:
        raise SystemExit(1)


def _settings() -> "Settings":
    """What the environment says. Ends with a message that names all the variables that will not do."""
    from service.settings import SettingsError, from_environment, unknown_variables

    try:
        return from_environment(os.environ)
    except SettingsError as error:
        for each in (*error.problems, *unknown_variables(os.environ)):
            click.echo(each, err=True)  # not in a box, which would break addresses in two
        raise SystemExit(MISCONFIGURED) from None
