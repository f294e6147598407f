"""The group of commands, and what becomes of their failures."""

from __future__ import annotations

import sys

import click

from impasto.cli.explain import explain
from impasto.cli.explore import explore
from impasto.cli.info import info
from impasto.cli.interruption import interruptible
from impasto.cli.paint import demo, transfer
from impasto.cli.resume import resume
from impasto.cli.studio import studio
from impasto.cli.telling import told_on_stderr
from impasto.cli.threads import sleep_soon
from impasto.errors import ImpastoError, SettingsError
from impasto.networks.kernels.allocation import own_process


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="impasto")
def cli() -> None:
    """Paint a picture in the style of another one, and see what the network that does it has learned."""


for command in (transfer, resume, demo, explain, explore, studio, info):
    cli.add_command(command)


def main() -> None:
    """Run the command line of this process and exit."""
    sleep_soon()
    try:
        with told_on_stderr(), interruptible(), own_process():
            code = cli(prog_name="impasto", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Abort:  # what click makes of KeyboardInterrupt
        code = _fail("interrupted, nothing was written", 130)
    except click.ClickException as error:
        code = _fail(error.format_message(), error.exit_code)
    except SettingsError as error:
        code = _fail(error, 2)
    except (ImpastoError, OSError) as error:
        code = _fail(error, 1)
    except MemoryError as error:
        code = _fail(f"the memory ran out: {error or 'give a smaller --size'}", 1)
    sys.exit(code)


def _fail(reason: object, code: int) -> int:
    click.echo("impasto: " + " ".join(str(reason).splitlines()), err=True)
    return code
