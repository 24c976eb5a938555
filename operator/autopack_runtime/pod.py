"""What a run's pod tells its containers by environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from autopack.errors import InvalidInput
from autopack.git.refs import check_branch, check_ref
from autopack.kept_files import KeptFiles
from autopack.manifest import Identity
from autopack.run_ids import check_run_id, path_component

_FIX = "The operator sets it in every container of a run's pod"


class Pod(NamedTuple):
    """One attempt, as seen from inside its pod. It starts at the commit `base_sha`, which was asked for as `ref`."""

    identity: Identity
    workspace: Path
    files: KeptFiles
    mirror: Path
    ref: str = "HEAD"

    @property
    def artifacts(self) -> Path:
        """The user's folder for results."""
        return self.files.artifacts

    @property
    def repo(self) -> Path:
        """The attempt's private git dir."""
        return self.files.repo

    @property
    def fenced(self) -> bool:
        """Whether the attempt is over: the volume imports what it left, and nothing that is written now counts."""
        return self.files.fence.exists()

    @property
    def snapshot_ref(self) -> str:
        """The ref that keeps what the run has not committed."""
        return f"refs/autopack/{path_component(self.identity.run_id)}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Pod:
        """Read the variables; raise InvalidInput, naming the variable, when one is missing or wrong."""

        def text(name: str) -> str:
            value = environ.get(name, "")
            if not value:
                raise InvalidInput(name, "is not set", _FIX)
            return value

        def folder(name: str) -> Path:
            path = Path(text(name))
            if not path.is_absolute():
                raise InvalidInput(name, "is not an absolute path", _FIX)
            return path

        attempt, sha = text("AUTOPACK_ATTEMPT"), text("AUTOPACK_SHA")
        if not re.fullmatch(r"[1-9][0-9]{0,8}", attempt):
            raise InvalidInput("AUTOPACK_ATTEMPT", "is not a whole number from 1", _FIX)
        if not re.fullmatch(r"[0-9a-f]{40}", sha):
            raise InvalidInput("AUTOPACK_SHA", "is not a full commit id", _FIX)
        identity = Identity(
            run_id=check_run_id(text("AUTOPACK_RUN_ID")),
            uid=text("AUTOPACK_RUN_UID"),
            attempt=int(attempt),
            base_sha=sha,
            branch=check_branch(text("AUTOPACK_BRANCH"), "AUTOPACK_BRANCH"),
        )
        files = KeptFiles(folder("AUTOPACK_ARTIFACTS"), folder("AUTOPACK_KEPT"))
        # An operator of before does not say it.
        ref = check_ref(environ.get("AUTOPACK_REF") or "HEAD", "AUTOPACK_REF")
        return cls(identity, folder("AUTOPACK_WORKSPACE"), files, folder("AUTOPACK_MIRROR"), ref)
