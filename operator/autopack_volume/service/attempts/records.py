"""What the volume knows of an attempt, from the answers that are pinned: the one way from a UID to files and refs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths
from autopack.files import names_in
from autopack_volume.contract import messages

from . import pins

_PIN = re.compile(r"a([1-9][0-9]{0,8})\.json")


@dataclass(frozen=True)
class Record:
    """One attempt: where it lies, its branch, and the answers to its preparation and its commit (None: not yet)."""

    paths: AttemptPaths
    branch: str
    prepared: messages.Ready | messages.Failure
    committed: messages.Committed | messages.Failure | None

    @property
    def state(self) -> messages.State:
        """How far it is."""
        if self.prepared["state"] == "failed":
            return "refused"
        return "live" if self.committed is None else self.committed["state"]

    @property
    def ready(self) -> messages.Ready:
        """What it began with; AutopackError AttemptUnknown when it was refused."""
        if self.prepared["state"] == "failed":
            raise unknown(self.paths.attempt)
        return self.prepared

    def kept(self) -> messages.Committed:
        """Return the answer to its commit; AutopackError NotCommitted when there is none, or it was refused."""
        if self.committed is None or self.committed["state"] == "failed":
            fix = "Wait until it has ended" if self.state == "live" else "Look at its artifacts"
            raise AutopackError("NotCommitted", f"attempt {self.paths.attempt} has left no commits (yet)", fix)
        return self.committed

    def document(self) -> messages.Attempt:
        """Return what readers are told."""
        found: messages.Attempt = {
            "uid": self.paths.uid,
            "attempt": self.paths.attempt,
            "runId": self.paths.run_id,
            "state": self.state,
        }
        if self.prepared["state"] == "failed":
            return {**found, "reason": self.prepared["reason"], "message": self.prepared["message"]}
        begun = self.prepared["repoKey"], self.prepared["sha"]
        return {**found, "repoKey": begun[0], "baseSha": begun[1], "branch": self.branch, "commit": self.committed}


def unknown(attempt: int) -> AutopackError:
    """Return the error for an attempt with which nothing can be done."""
    message = f"attempt {attempt} of this run was never prepared on this volume"
    return AutopackError("AttemptUnknown", message, "Check the UID and the claim")


def find(root: Path, uid: str, attempt: int) -> Record:
    """Return an attempt; AutopackError AttemptUnknown, InvalidInput for what is no UID."""
    # The run's id is in the pin; only the UID and the number lead to the pin.
    place = AttemptPaths("unknown", uid, attempt)
    found = pins.prepared(root, place)
    if found is None:
        raise unknown(attempt)
    request, answer = found
    paths = AttemptPaths(request["runId"], uid, attempt)
    return Record(paths, request["branch"], answer, pins.committed(root, place))


def find_all(root: Path, uid: str) -> list[Record]:
    """Return the attempts of a run, oldest first; AutopackError AttemptUnknown when there is none."""
    folder = (root / AttemptPaths("unknown", uid, 1).pinned_answer).parent
    names = (_PIN.fullmatch(name) for name in names_in(folder))
    numbers = sorted(int(name[1]) for name in names if name)
    if not numbers:
        raise AutopackError("AttemptUnknown", "no attempt of this run is on this volume", "Check the UID")
    return [find(root, uid, number) for number in numbers]
