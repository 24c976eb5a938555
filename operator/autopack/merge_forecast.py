"""Which finished branches merge cleanly, with the base and with each other, and in which order: tried, not guessed.

Every merge is made by `git merge-tree` in a scratch object store: no branch, index, work tree or object of the
repository changes. Needs git 2.39 or newer.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from .errors import WorkspaceError
from .git.branches import RUN_PREFIX, local_branches
from .git.ref_list import commit_of
from .git.refs import check_branch, check_ref
from .git.runner import GitError, run_git
from .git.save import run_ref
from .git.scratch import scratch_objects
from .git.snapshot import IDENTITY
from .git.worktree_entries import branches_in_use, common_dir

_MERGE = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "--allow-unrelated-histories", "--stdin")


@dataclass(frozen=True)
class Conflict:
    """Two branches (or the base and a branch) that do not merge by themselves, and the paths they differ over."""

    first: str
    second: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class MergeForecast:
    """What merging would bring.

    `order` can be merged into `base` one after the other without a conflict; `left_out` cannot join them, each with
    the paths in conflict at its turn; `conflicts` are all pairs that clash, the base among them; `merged` is in the
    base already.
    """

    base: str
    order: tuple[str, ...]
    left_out: tuple[Conflict, ...]
    conflicts: tuple[Conflict, ...]
    merged: tuple[str, ...]

    def named(self, names: Mapping[str, str]) -> MergeForecast:
        """Return the same with other names for what was merged, as far as `names` has them."""

        def clashes(conflicts: Iterable[Conflict]) -> tuple[Conflict, ...]:
            return tuple(
                Conflict(names.get(one.first, one.first), names.get(one.second, one.second), one.paths)
                for one in conflicts
            )

        order, merged = (tuple(names.get(one, one) for one in group) for group in (self.order, self.merged))
        return MergeForecast(self.base, order, clashes(self.left_out), clashes(self.conflicts), merged)


def finished_branches(repo: Path) -> list[str]:
    """Return the branches of runs that no worktree has checked out."""
    common = common_dir(repo)
    in_use = branches_in_use(common)
    return [name for name in local_branches(common) if name.startswith(RUN_PREFIX) and name not in in_use]


def has_snapshot(repo: Path, branch: str) -> bool:
    """Tell whether the run of a branch left work that it did not commit."""
    return commit_of(run_ref(branch.removeprefix(RUN_PREFIX)), cwd=repo) is not None


def best_order(names: Sequence[str], conflicts: Collection[Conflict]) -> list[str]:
    """Return all names, those that clash with the fewest others first; equals stay as given."""
    clashes = dict.fromkeys(names, 0)
    for conflict in conflicts:
        for name in (conflict.first, conflict.second):
            if name in clashes:
                clashes[name] += 1
    return sorted(names, key=clashes.__getitem__)


def merge_forecast(repo: Path, branches: Iterable[str] | None = None, base: str = "HEAD") -> MergeForecast:
    """Try all merges of `branches` (default: the finished ones of runs) into `base` and with each other.

    Raises InvalidInput for a bad name, WorkspaceError RefNotFound for a missing branch, GitTooOld where git cannot
    merge without a work tree.
    """
    common = common_dir(repo)
    known = local_branches(common)
    names = finished_branches(repo) if branches is None else list(dict.fromkeys(branches))
    base_sha = _commit(repo, check_ref(base, "base"))
    tips = {name: known.get(check_branch(name)) or _commit(repo, name) for name in names}
    with tempfile.TemporaryDirectory(prefix="autopack-forecast-") as scratch:
        return forecast_commits(common, (base, base_sha), tips, Path(scratch))


def forecast_commits(
    common: Path, base: tuple[str, str], tips: Mapping[str, str], scratch: Path, timeout: float | None = None
) -> MergeForecast:
    """Try all merges of the commits `tips`, by name, into `base` (its name and commit) and with each other.

    `common` is the git dir that has them; `scratch` takes what git makes meanwhile. Raises GitError with reason
    GitTimeout when one round of merges takes longer than `timeout` seconds.
    """
    base_name, base_sha = base
    merged = tuple(name for name in tips if _is_ancestor(common, tips[name], base_sha))
    open_names = [name for name in tips if name not in merged]
    merger = _Merger(common, scratch, timeout)
    pairs = [(base_name, name) for name in open_names] + list(combinations(open_names, 2))
    shas = {**tips, base_name: base_sha}
    results = merger.merge_all([(shas[first], shas[second]) for first, second in pairs])
    conflicts = tuple(
        Conflict(first, second, paths)
        for (first, second), (_, paths) in zip(pairs, results, strict=True)
        if paths is not None
    )
    order, left_out = _rehearse(merger, base_name, base_sha, tips, best_order(open_names, conflicts))
    return MergeForecast(base_name, order, left_out, conflicts, merged)


def _rehearse(
    merger: _Merger, base: str, base_sha: str, tips: Mapping[str, str], names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Conflict, ...]]:
    """Merge one after the other: three branches may clash though each two of them do not."""
    tip, order, left_out = base_sha, [], []
    for name in names:
        ((tree, paths),) = merger.merge_all([(tip, tips[name])])
        if paths is None:
            tip = merger.commit(tree, tip, tips[name])
            order.append(name)
        else:
            left_out.append(Conflict(base, name, paths))
    return tuple(order), tuple(left_out)


class _Merger:
    """Merges commits of a repository, with new objects in a folder of its own."""

    def __init__(self, common: Path, scratch: Path, timeout: float | None) -> None:
        self._common = common
        self._timeout = timeout
        self._env = scratch_objects(common, scratch) | IDENTITY

    def merge_all(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, tuple[str, ...] | None]]:
        """Return for each pair of commits the merged tree and, where they clash, the paths (None: no conflict)."""
        if not pairs:
            return []
        asked = "".join(f"{first} {second}\n" for first, second in pairs).encode()
        try:
            said = run_git(_MERGE, git_dir=self._common, env=self._env, input=asked, timeout=self._timeout).stdout
        except GitError as error:
            if b"usage:" in error.stderr or b"unknown option" in error.stderr:
                raise WorkspaceError("GitTooOld", "this git cannot forecast merges", "Install git 2.39") from error
            raise
        return list(_parse(said))

    def commit(self, tree: str, first: str, second: str) -> str:
        """Make the merge commit of a tree and return its id."""
        command = ["commit-tree", "-p", first, "-p", second, "-m", "forecast", tree]
        return run_git(command, git_dir=self._common, env=self._env).text


def _parse(said: bytes) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Read the answers, fields ended by NUL: for each merge 1 or 0, the tree, the paths in conflict, an empty one."""
    fields = iter(said.split(b"\0"))
    for status in fields:
        if not status.strip():
            return
        tree = next(fields).decode()
        paths = []
        while path := next(fields, b""):
            paths.append(os.fsdecode(path))
        yield tree, (None if status == b"1" else tuple(dict.fromkeys(paths)))


def _commit(repo: Path, name: str) -> str:
    found = commit_of(name, cwd=repo)
    if found is None:
        raise WorkspaceError("RefNotFound", f"there is no branch, tag or commit '{name}'", "Check the name")
    return found


def _is_ancestor(common: Path, sha: str, of: str) -> bool:
    return run_git(["merge-base", "--is-ancestor", sha, of], git_dir=common, check=False).returncode == 0
