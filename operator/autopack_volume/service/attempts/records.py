"""What the volume knows of an attempt, from the answers that are pinned: the one way from a UID to files and refs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths
from autopack.files import names_in
from autopack_volume.contract.messages import State
from autopack_volume.service.answers import Json

from . import pins

_PIN = re.compile(r"a([1-9][0-9]{0,8})\.json")


@dataclass(frozen=True)
class Record:
    """One attempt: where it lies, what it began with, and the answers to its preparation and its commit (or None)."""

    paths: AttemptPaths
    branch: str
    prepared: Json
    committed: Json | None

    @property
    def state(self) -> State:
        """How far it is."""
        if self.prepared.get("state") != "ready":
            return "refused"
        if self.committed is None:
            return "live"
        return "committed" if self.committed.get("state") == "committed" else "failed"

    @property
    def repo_key(self) -> str:
        """The repository's key on the volume."""
        return str(self.prepared["repoKey"])

    @property
    def base_sha(self) -> str:
        """The commit it began with."""
        return str(self.prepared["sha"])

    def kept(self) -> Json:
        """Return the answer to its commit; AutopackError NotCommitted when there is none, or it was refused."""
        if self.committed is None or self.state != "committed":
            fix = "Wait until it has ended" if self.state == "live" else "Look at its artifacts"
            raise AutopackError("NotCommitted", f"attempt {self.paths.attempt} has left no commits (yet)", fix)
        return self.committed

    def document(self) -> Json:
        """Return what readers are told."""
        found = {"uid": self.paths.uid, "attempt": self.paths.attempt, "runId": self.paths.run_id, "state": self.state}
        if self.state == "refused":
            return found | {name: self.prepared.get(name) for name in ("reason", "message")}
        begun = {"repoKey": self.repo_key, "baseSha": self.base_sha, "branch": self.branch}
        return found | begun | {"commit": self.committed}


def find(root: Path, uid: str, attempt: int) -> Record:
    """Return an attempt; AutopackError AttemptUnknown, InvalidInput for what is no UID."""
    # The run's id is in the pin; only the UID and the number lead to the pin.
    place = AttemptPaths("unknown", uid, attempt)
    found = pins.read(root, pins.prepared_pin(place))
    if found is None:
        raise AutopackError("AttemptUnknown", f"attempt {attempt} of this run is not on this volume", "Check the UID")
    request, answer = found
    committed = pins.read(root, pins.committed_pin(place))
    paths = AttemptPaths(str(request["runId"]), uid, attempt)
    return Record(paths, str(request["branch"]), answer.body, None if committed is None else committed[1].body)


def find_all(root: Path, uid: str) -> list[Record]:
    """Return the attempts of a run, oldest first; AutopackError AttemptUnknown when there is none."""
    folder = root / Path(pins.prepared_pin(AttemptPaths("unknown", uid, 1))).parent
    names = (_PIN.fullmatch(name) for name in names_in(folder))
    numbers = sorted(int(name[1]) for name in names if name)
    if not numbers:
        raise AutopackError("AttemptUnknown", "no attempt of this run is on this volume", "Check the UID")
    return [find(root, uid, number) for number in numbers]
