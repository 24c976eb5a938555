"""What an administrator lets out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from autopack.errors import printable

from .globs import matches
from .refusal import Refused

_SHOWN_PATHS = 5


class Policy(NamedTuple):
    """Branches that may be pushed and paths that may not be changed, as patterns; None: no limit."""

    branches: tuple[str, ...] = ("**",)
    protected_paths: tuple[str, ...] = ()
    max_changed_files: int | None = None
    max_bytes: int | None = None


class Changes(NamedTuple):
    """The paths that differ between two commits, and the size of all files that come with the commits in between."""

    paths: tuple[str, ...]
    size: int


def check_branch_allowed(branch: str, policy: Policy) -> None:
    """Raise Refused for a branch that no pattern fits."""
    if not matches(branch, policy.branches):
        allowed = ", ".join(policy.branches) or "none"
        message = f"the branch '{printable(branch, 120)}' is not one of those that may be delivered: {allowed}"
        raise Refused("BranchNotAllowed", printable(message, 600), "Give a branch that fits")


def check_not_base(branch: str, others: Collection[str]) -> None:
    """Raise Refused where the branch is one that pull requests go to."""
    if branch in others:
        message = f"'{printable(branch, 120)}' is the branch that pull requests go to, and nothing is pushed there"
        raise Refused("BaseBranch", message, "Give a branch of the run's own")


def check_changes(changes: Changes, policy: Policy) -> None:
    """Raise Refused for a change that touches or brings more than it may."""
    if protected := [path for path in changes.paths if matches(path, policy.protected_paths)]:
        message = f"protected paths are changed: {_shown(protected)}"
        raise Refused("ProtectedPath", message, "Leave them as they are, or have the profile's protectedPaths changed")
    if policy.max_changed_files is not None and len(changes.paths) > policy.max_changed_files:
        message = f"{len(changes.paths)} files are changed, {policy.max_changed_files} may be"
        raise Refused("TooManyFiles", message, "Split the work, or have the profile's maxChangedFiles raised")
    if policy.max_bytes is not None and changes.size > policy.max_bytes:
        message = f"the changed files have {changes.size} bytes, {policy.max_bytes} may be delivered"
        raise Refused("TooManyBytes", message, "Leave out what is generated, or have the profile's maxBytes raised")


def _shown(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN_PATHS} more" if len(paths) > _SHOWN_PATHS else ""
    return ", ".join(f"'{printable(path, 120)}'" for path in paths[:_SHOWN_PATHS]) + more
