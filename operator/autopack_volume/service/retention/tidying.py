"""Carries out what the policy decides. Each removal is checked again in the moment in which it is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths, mirror, results
from autopack.git.ref_list import list_refs
from autopack.git.runner import run_git
from autopack.kept_files import files_of
from autopack.log import log
from autopack_volume.service.attempts.trash import Trash
from autopack_volume.service.results.importing import attempt_refs
from autopack_volume.service.settings import Policy
from autopack_volume.service.sources.mirrors import Mirrors

from . import inventory
from .policy import Removal, plan

# As git's own garbage collection: what somebody may be about to refer to is younger than this.
_GRACE = "2.days.ago"


class Tidying:
    """Removes from one volume what the policy says."""

    def __init__(self, root: Path, mirrors: Mirrors, policy: Policy) -> None:
        self._root = root
        self._mirrors = mirrors
        self._policy = policy
        self._trash = Trash(root)

    def planned(self) -> list[Removal]:
        """Return what would go now; nothing is changed."""
        return plan(self._policy, inventory.repositories(self._root), inventory.attempts(self._root), time.time())

    def tidy(self) -> Iterator[Removal]:
        """Remove what is to go, and yield each that went; one that cannot be removed costs none of the others."""
        planned = self.planned()
        effects: dict[str, Callable[[Removal], bool]] = {
            "mirror": self._remove_mirror,
            "bundle": self._remove_bundle,
            "results": self._remove_results,
        }
        for removal in planned:
            try:
                if effects[removal.kind](removal):
                    yield removal
            except (AutopackError, OSError) as error:
                log("warning", "could not be removed", kind=removal.kind, key=removal.key, error=str(error))
        self._drop_objects({removal.key for removal in planned if removal.kind == "results"})

    def _remove_mirror(self, removal: Removal) -> bool:
        with self._mirrors.locked(removal.key):
            still = [one for one in inventory.repositories(self._root) if one.key == removal.key]
            if not still or still[0].needed:
                return False
            # Nothing stands on it; results without a run would not work without it either.
            self._trash.discard(results(removal.key))
            return self._trash.discard(mirror(removal.key))

    def _remove_bundle(self, removal: Removal) -> bool:
        paths = AttemptPaths(removal.run_id, removal.uid, removal.attempt)
        bundle = files_of(self._root / paths.artifacts, self._root / paths.kept).bundle
        return self._trash.discard(str(bundle.relative_to(self._root)))

    def _remove_results(self, removal: Removal) -> bool:
        paths = AttemptPaths(removal.run_id, removal.uid, removal.attempt)
        repo = self._root / results(removal.key)
        refs = list_refs(repo, f"{attempt_refs(paths)}/") if repo.exists() else []
        commands = "".join(f"delete {ref.name} {ref.sha}\n" for ref in refs)
        if commands:
            run_git(["update-ref", "--stdin"], git_dir=repo, input=commands.encode())
        self._trash.discard(paths.kept)
        self._trash.discard(paths.pinned_commit)
        return self._trash.discard(paths.pinned_answer)

    def _drop_objects(self, keys: Collection[str]) -> None:
        """Give back the room of commits that no ref reaches any more."""
        for key in keys:
            repo = self._root / results(key)
            if repo.exists():
                run_git(["repack", "-A", "-d", "-l", "-q", f"--unpack-unreachable={_GRACE}"], git_dir=repo, check=False)
                run_git(["prune", f"--expire={_GRACE}"], git_dir=repo, check=False)
