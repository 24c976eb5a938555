"""Which of the commits that a run left is delivered."""

from __future__ import annotations

from dataclasses import dataclass

from autopack_operator.domain.api.deliver import Deliver, Include
from autopack_operator.domain.api.status import MAX_OUTBOX, AutopackRunStatus


@dataclass(frozen=True, slots=True)
class Work:
    """A commit, and the ref in the shared repository that holds it."""

    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is no commit to deliver, and why."""

    reason: str
    message: str


def work_of(run_uid: str, status: AutopackRunStatus, deliver: Deliver, branch: str) -> Work | Nothing:
    """What to deliver: what the run pushed to its outbox, its own branch, or its last saved state."""
    below = f"refs/runs/{run_uid}/a{status.attempt}"
    if deliver.include is Include.SNAPSHOT and status.snapshot is not None:
        return _changed(Work(f"{below}/snapshot", status.snapshot), status, deliver)
    if status.outbox and deliver.include is Include.COMMITS:
        return _pushed(below, status, branch)
    if status.commit is None or status.ref is None:
        return Nothing("NothingCommitted", "nothing of the run was imported, so there is nothing to deliver")
    return _changed(Work(status.ref, status.commit), status, deliver)


def _pushed(below: str, status: AutopackRunStatus, branch: str) -> Work | Nothing:
    pushed = status.outbox or {}
    for name in (branch, status.branch or ""):
        if name in pushed:
            return Work(f"{below}/outbox/{name}", pushed[name])
    if len(pushed) == 1:
        ((name, commit),) = pushed.items()
        return Work(f"{below}/outbox/{name}", commit)
    names = ", ".join(pushed) + (", …" if len(pushed) == MAX_OUTBOX else "")
    return Nothing(
        "SeveralBranches",
        f"the run pushed several branches ({names}); set spec.deliver.branch to the name of the one to deliver",
    )


def _changed(work: Work, status: AutopackRunStatus, deliver: Deliver) -> Work | Nothing:
    if work.commit != status.sha:
        return work
    also = (
        "" if deliver.include is Include.SNAPSHOT else "; spec.deliver.include Snapshot takes uncommitted files as well"
    )
    return Nothing("NothingChanged", f"the run ended at the commit that it started from{also}")
