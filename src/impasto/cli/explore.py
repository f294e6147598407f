"""``impasto explore``: what the units of the network have learned. Its commands are imported when one is asked for."""

from __future__ import annotations

import click

from impasto.packages import found_at

_COMMANDS = {
    "patches": "impasto.cli.patches:patches",
    "merge": "impasto.cli.merge:merge",
    "synthesise": "impasto.cli.synthesise:synthesise",
    "walk": "impasto.cli.walk:walk",
}


class _Explore(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        return found_at(_COMMANDS[cmd_name]) if cmd_name in _COMMANDS else None


@click.group(cls=_Explore)
def explore() -> None:
    """See what the units of the network have learned."""
