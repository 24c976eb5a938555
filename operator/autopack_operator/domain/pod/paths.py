"""Where things are inside of a run's pod."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autopack.kept_files import KeptFiles
from autopack_operator.domain.views import Attempt

ROOT = "/autopack"
BIN = "/autopack-bin"
TMP = "/tmp"  # noqa: S108 - an emptyDir of the container's own; the root file system is read-only
ENTRYPOINT = f"{BIN}/autopack-entrypoint"
STOP_FILE = f"{BIN}/stop"
"""The keeper makes it to have the command stopped; the command's container cannot write there."""
CHANGES_FILE = f"{BIN}/changed"
"""It gets a new time whenever the keeper has seen that files of the run changed."""


@dataclass(frozen=True, slots=True)
class PodPaths:
    """The paths of one attempt."""

    workspace: str
    files: KeptFiles
    mirror: str


def paths_of(run_name: str, attempt: Attempt) -> PodPaths:
    """Return the paths as every container of the attempt's pod has them."""
    artifacts = Path(ROOT, run_name)
    kept = Path(ROOT, ".kept", run_name) if attempt.kept != attempt.artifacts else artifacts
    return PodPaths(
        workspace=f"{ROOT}/workspaces/{run_name}",
        files=KeptFiles(artifacts, kept),
        mirror=f"{ROOT}/.repos/{attempt.repository_key}/mirror.git",
    )
