"""The command line: parallel-ops demo, serve and check."""

import os

import rich_click as click

from service.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION)
def main() -> None:
    """How a PLM's five parallel side tracks are doing, in one place."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, help="Processes that answer requests.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the API, configured by PARALLEL_OPS_* variables."""
    from service import settings
    from service.serving import serve as run

    try:
        settings.from_environment(os.environ)
    except settings.SettingsError as error:
        raise click.ClickException(str(error)) from None
    run(host, port, workers)
