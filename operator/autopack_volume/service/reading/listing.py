"""`autopack-runtime branches` and `tree`: what runs left, for people."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from autopack.errors import AutopackError, printable
from autopack.file_layout import KEPT, repo_key
from autopack.git.runner import run_git
from autopack.kept_files import files_of
from autopack.run_ids import check_run_id, path_component
from autopack.scan import walk
from autopack_volume.service.settings import volume_root

_BRANCH = re.compile(r"(?P<sha>\S+) refs/runs/(?P<uid>[^/]+)/a(?P<attempt>[^/]+)/heads/(?P<branch>.+)")
_NOT_RUNS = frozenset({"workspaces", "projects", "lost+found"})


def branches(environ: Mapping[str, str], repository: str | None) -> int:
    """Print `<run uid> <attempt> <branch> <sha>` for every branch that runs left."""
    repositories = volume_root(environ) / ".repos"
    keys = (
        [repo_key(name=repository)]
        if repository is not None
        else sorted(path.name for path in repositories.glob("[nu]-*"))
    )
    if repository is not None and not (repositories / keys[0]).exists():
        raise AutopackError("RepositoryNotFound", f"no repository '{repository}' on the volume", "Check its name")
    for key in keys:
        results = repositories / key / "results.git"
        if results.exists():
            listed = run_git(["for-each-ref", "--format=%(objectname) %(refname)", "refs/runs/"], git_dir=results).text
            sys.stdout.writelines(branch_lines(listed.splitlines()))
    return 0


def branch_lines(listed: list[str]) -> Iterator[str]:
    """Turn `<sha> refs/runs/<uid>/a<N>/heads/<branch>` into lines for people; other refs are left out."""
    for line in listed:
        found = _BRANCH.fullmatch(line)
        if found:
            yield f"{found['uid']} {found['attempt']} {printable(found['branch'], 600)} {found['sha']}\n"


def tree(environ: Mapping[str, str], run: str | None) -> int:
    """Print the artifacts of all runs or of one, indented, with sizes in bytes."""
    root = volume_root(environ)
    if run is None:
        names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False))
        names = [name for name in names if not name.startswith(".") and name not in _NOT_RUNS]
    else:
        names = [path_component(check_run_id(run))]
        if not (root / names[0]).is_dir():
            raise AutopackError("RunNotFound", f"no artifacts of '{run}' on the volume", "Check its name")
    for name in names:
        sys.stdout.write(f"{name}/\n")
        for attempt in sorted((root / name).iterdir()):
            files = files_of(attempt, root / KEPT / name / attempt.name)
            sys.stdout.write(f"  {printable(attempt.name, 200)}/\n")
            sys.stdout.writelines(tree_lines(attempt, files.own_names))
    return 0


def tree_lines(folder: Path, skip: Collection[str]) -> Iterator[str]:
    """List the files below an attempt's folder; names in `skip` are left out at the top."""
    for found in walk(folder, skip):
        if stat.S_ISLNK(found.stat.st_mode):
            target = os.readlink(found.name, dir_fd=found.folder)
            yield f"    {printable(found.path, 400)} -> {printable(target, 400)}\n"
        elif not stat.S_ISDIR(found.stat.st_mode):
            yield f"    {printable(found.path, 400)}  {found.stat.st_size}\n"
