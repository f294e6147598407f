"""``impasto studio``: paint and explore in the browser."""

from __future__ import annotations

import os
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import click

from impasto.cli.imports import WithoutStubs, large_imports
from impasto.cli.paint import FILE
from impasto.errors import SettingsError


@click.command()
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", metavar="N", type=click.IntRange(1, 65535), help="[default: the first free one from 7860]")
@click.option(
    "--auth",
    metavar="USER:PASSWORD",
    envvar="IMPASTO_STUDIO_AUTH",
    show_envvar=True,
    help="Who may come in; needed where other computers can reach it.",
)
@click.option("--folder", type=FILE, metavar="DIR", help="Where the runs are kept.  [default: with your other data]")
@click.option("--index", type=FILE, metavar="FILE|DIR", help="What to explore: made by impasto explore patches.")
@click.option(
    "--watch",
    type=FILE,
    multiple=True,
    metavar="DIR",
    help="A folder of results that impasto transfer paints, on a cluster or here: History shows how far it is.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
def studio(
    host: str,
    port: int | None,
    auth: str | None,
    folder: Path | None,
    index: Path | None,
    watch: tuple[Path, ...],
    no_browser: bool,
) -> int:
    """Paint and explore on a page in your browser, which speaks to this computer alone.

    \b
    impasto studio
    impasto studio --host 0.0.0.0 --auth anna:secret    # for others in your network too
    """
    if find_spec("gradio") is None:
        raise SettingsError("the studio is built on the package gradio, which is missing: pip install gradio")
    click.echo("opening the studio, which takes some seconds", err=True)

    from impasto.studio.environment import environment, without_proxies

    # gradio's libraries read the proxies when they are imported
    with environment(without_proxies()), large_imports(), WithoutStubs():
        from impasto.studio.server import parse_auth, serve

    login = parse_auth(auth, host)
    if folder is None:
        import platformdirs

        folder = platformdirs.user_data_path("impasto") / "studio"
    before = set(threading.enumerate())
    how = {"host": host, "port": port, "auth": login, "browser": not no_browser, "index": index, "watch": watch}
    with serve(folder, **how) as address:
        click.echo(f"the studio is open: {address}   (Ctrl-C closes it)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("closing; what is being painted is kept", err=True)
    if set(threading.enumerate()) - before:
        # all is kept, and a thread of the page that is in the middle of torch would abort the process on its way out
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0
