"""Where Autopack's own files about an attempt on the volume lie: apart from its artifacts, under names of our choice.

The pod's keeper writes them, the volume service reads them. The command's container has only `run/` of them, with what
cannot be kept from it: its git dir, and the file in which the entrypoint, a process of the same user, says how the
command ended; and it reads `input/`, where the volume service puts what the command is asked to do.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_OWN_AMONG_ARTIFACTS = frozenset(
    {
        "repo.git",
        "outbox.git",
        "given-refs",
        "manifest.json",
        "result.json",
        "results.bundle",
        "workspace.json",
        "fenced.json",
    }
)


class KeptFiles(NamedTuple):
    """The files of one attempt. `artifacts` is the user's folder, `kept` ours.

    The two are one in an attempt that was prepared before they were apart, and stay so for good.
    """

    artifacts: Path
    kept: Path

    @property
    def _together(self) -> bool:
        return self.kept == self.artifacts

    @property
    def own_names(self) -> frozenset[str]:
        """Names at the top of the artifacts' folder that are ours, and no artifacts."""
        return _OWN_AMONG_ARTIFACTS if self._together else frozenset()

    @property
    def run_side(self) -> Path:
        """What the command's container can write as well."""
        return self.kept if self._together else self.kept / "run"

    @property
    def repo(self) -> Path:
        """The attempt's private git dir."""
        return self.run_side / "repo.git"

    @property
    def outbox(self) -> Path:
        """The repository that takes what the run pushes to its remote `origin`."""
        return self.run_side / "outbox.git"

    @property
    def exit_file(self) -> Path:
        """Written by the entrypoint when the user's command has ended."""
        return self.run_side / "exit.json"

    @property
    def prompt(self) -> Path:
        """What the command is asked to do; there only if it is asked anything."""
        return self.kept / "input" / "prompt"

    @property
    def objects(self) -> Path:
        """The objects of what the keeper saves; the uncommitted files may be larger than what the node lends us."""
        return (self.repo if self._together else self.kept) / "keeper-objects"

    @property
    def ready_marker(self) -> Path:
        """Written when the workspace is complete."""
        return self.kept / "workspace.json"

    @property
    def given_refs(self) -> Path:
        """The refs that the attempt found in its repository: those of the source, which are no work of its own."""
        return self.kept / "given-refs"

    @property
    def bundle(self) -> Path:
        """The commits that leave the pod."""
        return self.kept / "results.bundle"

    @property
    def manifest(self) -> Path:
        """The list of the artifacts, with digests."""
        return self.kept / "manifest.json"

    @property
    def result(self) -> Path:
        """How the attempt ended, and what was saved of it; the keeper's last word."""
        return self.kept / "result.json"

    @property
    def fence(self) -> Path:
        """Written when the attempt is over, for a keeper that may live on unseen."""
        return self.kept / "fenced.json"

    @property
    def command_began(self) -> bool:
        """Whether a command has been started in the workspace, or may have been."""
        return any(os.path.lexists(path) for path in (self.exit_file, self.artifacts / "logs" / "stdout.log"))


def files_of(artifacts: Path, kept: Path) -> KeptFiles:
    """Return the files of an attempt as its pod laid them: what tells is where it said that its workspace is ready.

    No command can make the answer another one: before that there is none, and where `kept` is apart it cannot reach it.
    """
    apart, together = KeptFiles(artifacts, kept), KeptFiles(artifacts, artifacts)
    if apart.ready_marker.exists() or (kept.exists() and not together.ready_marker.exists()):
        return apart
    return together
