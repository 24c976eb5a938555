"""What is checked before a batch touches anything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from autopack.agents.formats import FORMATS
from autopack.errors import InvalidInput, printable
from autopack.files import write_atomic
from autopack.git.contents import check_complete
from autopack.git.ref_list import commit_of
from autopack.git.refs import check_ref
from autopack.git.worktree_entries import common_dir
from autopack.settings import check_repository
from autopack.workspace_manager import Preparation

from .command import parse_command, parse_setup
from .home import check_home_files, home_of
from .options import SupervisorOptions
from .recipe import Recipe


def prepare_recipe(
    batch_id: str, runs_dir: Path, source_repo: Path, options: SupervisorOptions, extra_args: Sequence[str]
) -> Recipe:
    """Return the recipe of a batch; raise AutopackError when there is no repository, no such ref, no command, or a
    tree that worktrees would lack a part of.
    """
    check_repository(source_repo)
    check_ref(options.ref)
    sha = commit_of(options.ref, cwd=source_repo)
    if sha is None:
        message = f"the repository has no branch, tag or commit '{options.ref}'"
        raise InvalidInput("ref", message, "Give another --ref, or commit something first")
    if not options.allow_incomplete:
        check_complete(common_dir(source_repo), sha)
    return Recipe(
        batch_id=batch_id,
        runs_dir=runs_dir,
        source_repo=source_repo,
        base_sha=sha,
        words=parse_command(options.command, source_repo),
        extra_args=tuple(extra_args),
        timeout=options.timeout,
        keep=options.keep,
        preparation=Preparation(
            setup=[parse_setup(text) for text in options.setup], allow_incomplete=options.allow_incomplete
        ),
        quota=options.quota,
        agent_output=FORMATS.get(options.agent_output),
        home_files=check_home_files(options.home_files, home_of(os.environ)) if options.private_home else None,
    )


def make_runs_dir(runs_dir: Path, source_repo: Path) -> None:
    """Make the folder of runs; inside the repository it is hidden from git. Raises InvalidInput if that cannot be."""
    ignore = runs_dir / ".gitignore"
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        if runs_dir.resolve().is_relative_to(source_repo) and not ignore.exists():
            write_atomic(ignore, b"*\n")
        with tempfile.TemporaryFile(dir=runs_dir):
            pass
    except OSError as error:
        message = f"{printable(str(runs_dir), 300)} cannot be written: {error.strerror}"
        raise InvalidInput("autonomous_runs_dir", message, "Give --autonomous-runs-dir a folder of yours") from error
