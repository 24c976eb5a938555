"""`kubectl_complete-autopack`: kubectl asks it what could come next after `kubectl autopack …`.

The answer is as cobra's: a line for each, a tab before its explanation, and at the end what the shell has to do.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from click.shell_completion import ShellComplete

_NO_FILES = ":4"
_FILES = ":0"


def main(argv: Sequence[str] | None = None) -> int:
    """Print what could come next; nothing goes to stderr, for that is where the user types."""
    with contextlib.suppress(BrokenPipeError):
        _answer(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    return 0


def _answer(words: Sequence[str]) -> None:
    from autopack_cli.cluster.group import cluster_group

    files = False
    found = ShellComplete(cluster_group, {}, "kubectl autopack", "").get_completions(
        list(words[:-1]), words[-1] if words else ""
    )
    for item in found:
        if item.type == "plain":
            sys.stdout.write(f"{item.value}\t{item.help or ''}\n")
        else:
            files = True
    sys.stdout.write(f"{_FILES if files else _NO_FILES}\n")
