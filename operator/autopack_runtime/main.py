"""`autopack-runtime`: what runs next to the files. Each command imports only what it needs: pods wait for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autopack.errors import AutopackError

from .signals import hold_signals

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2


def _workspace() -> int:
    from . import workspace

    return workspace.run(os.environ)


def _keeper() -> int:
    hold_signals()
    from . import keeper

    return keeper.run(os.environ)


_HELPERS = {"workspace": _workspace, "keeper": _keeper}
"""What every run's pod starts, without options: it need not pay for reading any."""


def _volume(_: argparse.Namespace) -> int:
    from autopack_volume.service.http import service

    return service.run(os.environ)


def _publisher(_: argparse.Namespace) -> int:
    from autopack_publisher.service import http

    return http.run(os.environ)


def _import_repository(options: argparse.Namespace) -> int:
    from autopack_volume.service.sources import importer

    return importer.run(os.environ, options.name, sys.stdin.buffer)


def _branches(options: argparse.Namespace) -> int:
    from autopack_volume.service.reading import listing

    return listing.branches(os.environ, options.repository)


def _tree(options: argparse.Namespace) -> int:
    from autopack_volume.service.reading import listing

    return listing.tree(os.environ, options.run)


def _tidy(options: argparse.Namespace) -> int:
    from autopack_volume.service.retention import command

    return command.run(os.environ, dry_run=options.dry_run)


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog="autopack-runtime", description="What runs next to the files of runs.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, handler: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(handler=handler)
        return added

    text = "Init container: make the attempt's git dir and worktree (configured by AUTOPACK_*)."
    command("workspace", lambda _: _workspace(), text)
    text = "Sidecar: save the run's work while it runs and at its end (configured by AUTOPACK_*)."
    command("keeper", lambda _: _keeper(), text)
    command(
        "volume", _volume, "Service: the duties that need the files of a volume, over HTTP (configured by AUTOPACK_*)."
    )
    text = "Service: pushes what runs left to git hosts, over HTTP (configured by AUTOPACK_*)."
    command("publisher", _publisher, text)
    importing = command(
        "import-repository",
        _import_repository,
        "Create or update a repository on the volume from `git bundle create - --all` on standard input.",
    )
    importing.add_argument("name", metavar="NAME", help="lower-case letters, digits and '-'")
    branches = command("branches", _branches, "List the branches that runs left: run UID, attempt, branch, commit.")
    branches.add_argument("--repository", metavar="NAME", help="only of this imported repository")
    tree = command("tree", _tree, "Show the artifacts that runs left.")
    tree.add_argument("run", nargs="?", metavar="RUN", help="only of this run")
    text = "Remove from the volume what the chart's volume.retention says, and print the bytes by kind."
    command("tidy", _tidy, text).add_argument("--dry-run", action="store_true", help="only say what would be removed")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code (2 for what the caller can put right)."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        return _run(arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_USAGE
    except AutopackError as error:
        print(f"autopack-runtime: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return 130


def _run(arguments: list[str]) -> int:
    if len(arguments) == 1 and arguments[0] in _HELPERS:
        return _HELPERS[arguments[0]]()
    options = _parser().parse_args(arguments)
    code: int = options.handler(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
