"""A command group that imports a command only when it is called: `autopack --help` must be quick."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click


class LazyGroup(click.Group):
    """`commands_at` maps each command's name to `module:attribute` and to its line in the help."""

    def __init__(self, *args: object, commands_at: Mapping[str, tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return sorted({*super().list_commands(ctx), *self._commands_at})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, unless only the list of commands is to be shown."""
        place, _ = self._commands_at.get(cmd_name, ("", ""))
        if not place:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """List the commands without importing them."""
        with formatter.section("Commands"):
            here = {name: command.get_short_help_str() for name, command in self.commands.items()}
            lines = here | {name: text for name, (_, text) in self._commands_at.items()}
            formatter.write_dl(sorted(lines.items()))
