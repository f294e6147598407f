"""The group of commands, and what becomes of their failures."""

from __future__ import annotations

import sys

import click

from impasto.cli.explore import explore
from impasto.cli.info import info
from impasto.cli.paint import demo, transfer
from impasto.errors import ImpastoError, SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="impasto")
def cli() -> None:
    """Paint a picture in the style of another one, and see what the network that does it has learned."""


for command in (transfer, demo, explore, info):
    cli.add_command(command)


def main() -> None:
    """Run the command line of this process and exit."""
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except ImpastoError as error:
        click.echo(f"impasto: {error}", err=True)
        code = 2 if isinstance(error, SettingsError) else 1
    except KeyboardInterrupt:
        click.echo("impasto: interrupted, nothing was written", err=True)
        code = 130
    except BrokenPipeError:
        code = 1
    sys.exit(code)
