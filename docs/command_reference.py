"""Write docs/commands.md: the help of every command, as click prints it at a fixed width.

python docs/command_reference.py
"""

from collections.abc import Iterator
from pathlib import Path

import click

from impasto.cli.main import cli

PAGE = Path(__file__).parent / "commands.md"
WIDTH = 100
HEAD = """# Commands

What `--help` says of each command. Written by `python docs/command_reference.py`; not to be edited by hand.
"""


def commands(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """The command and all commands below it, each in its context."""
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(below, in_context(below, name, context))


def in_context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """What a command knows of how it was called; the width of this terminal is none of it."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH, "color": False}
    return click.Context(command, parent, name, **settings)


def reference() -> str:
    """The whole page."""
    sections = [
        f"## {context.command_path}\n\n```text\n{context.command.get_help(context).rstrip()}\n```\n"
        for context in commands(cli, in_context(cli, "impasto"))
    ]
    return "\n".join([HEAD, *sections])


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
