"""`autopack completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from autopack_cli.shared.output import echo

_PROGRAMS = {"autopack": "_AUTOPACK_COMPLETE", "kubectl-autopack": "_KUBECTL_AUTOPACK_COMPLETE"}


@click.command("completion", short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.option(
    "--program", type=click.Choice(sorted(_PROGRAMS)), default="autopack", show_default=True, help="What to complete."
)
def completion_command(shell: str, program: str) -> None:
    """Print a script that completes commands and options: `source <(autopack completion bash)`.

    `kubectl autopack <Tab>` needs none: kubectl asks the program kubectl_complete-autopack, which is installed beside
    this one.
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"{shell} cannot be completed")
    echo(found(click.Command(program), {}, program, _PROGRAMS[program]).source())
