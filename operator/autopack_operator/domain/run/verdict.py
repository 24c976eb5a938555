"""How an attempt ended, read from its stopped (or vanished) pod: success, or a failure of one of two classes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from autopack.bound_files import EXIT_CODES
from autopack.phases import Phase, PodPhase
from autopack_operator.domain.api.status import SpentBudget
from autopack_operator.domain.spending.bounds import explained
from autopack_operator.domain.times import parse, seconds_between
from autopack_operator.domain.views import CommittedWork, ContainerView, PodView

RUN_CONTAINER = "run"
WORKSPACE_CONTAINER = "workspace"
WORKTREE_FAILED = "WorktreeFailed"
WORKTREE_OUT_OF_MEMORY = "WorktreeOOMKilled"
DISK_QUOTA_EXCEEDED = "DiskQuotaExceeded"
IDLE = "Idle"
BUDGET_EXHAUSTED = "BudgetExhausted"
_STOPPED = {
    DISK_QUOTA_EXCEEDED: "the run took up more than its RunProfile's diskQuota and was stopped; its work was saved",
    IDLE: "the command did nothing for spec.idleTimeoutSeconds and was stopped; its work was saved",
}
"""What our own helpers in the pod have a command stopped for."""
_ENDED_BY_ITSELF = frozenset({"Completed", "CommandFailed"})
_WORKSPACE_REASONS = {code: reason for reason, code in EXIT_CODES.items()}
_NOT_BY_THE_COMMAND = frozenset({"StartError", "ContainerCannotRun", "ContainerStatusUnknown"})
"""What is reported of a container that never began, or that its node lost sight of (it restarted, say)."""


class FailureClass(StrEnum):
    """Who is to blame decides whether another attempt makes sense."""

    INFRASTRUCTURE = "infrastructure"
    AGENT = "agent"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """End of an attempt. `failure` is NONE for a success and for what must not be tried again; `spent` is the budget
    for whose sake it ended.
    """

    phase: str
    reason: str
    message: str
    failure: FailureClass = FailureClass.NONE
    exit_code: int | None = None
    spent: SpentBudget | None = None


def succeeded() -> Verdict:
    """The command ended with exit code 0."""
    return Verdict(Phase.SUCCEEDED, "Completed", "", exit_code=0)


def budget_exhausted(budget: SpentBudget) -> Verdict:
    """Nothing more may be used of models: the run is suspended."""
    return Verdict(Phase.SUSPENDED, BUDGET_EXHAUSTED, explained(budget), spent=budget)


def of_stopped_pod(pod: PodView) -> Verdict:
    """The verdict over a pod none of whose containers runs any more."""
    run = pod.container(RUN_CONTAINER)
    if pod.phase == PodPhase.SUCCEEDED:
        return succeeded()
    if pod.reason == "DeadlineExceeded":
        return Verdict(Phase.FAILED, "Timeout", "the run took longer than spec.timeoutSeconds", FailureClass.AGENT)
    if pod.disrupted or pod.reason in {"Evicted", "NodeLost", "NodeShutdown", "Terminated", "Shutdown", "Preempting"}:
        return infrastructure(pod.reason or pod.disrupted or "Disrupted", pod.message)
    if run is not None and run.terminated in _NOT_BY_THE_COMMAND:
        return infrastructure(run.terminated, run.message or "the command did not end by itself")
    if run is not None and run.terminated is not None and run.started_at is not None:
        if pod.deleting and run.exit_code:
            return infrastructure("PodDeleted", "the pod was deleted while the command ran")
        return _of_container(run)
    return _never_ran(pod)


def _of_container(run: ContainerView) -> Verdict:
    if run.terminated == "OOMKilled":
        return Verdict(
            Phase.FAILED,
            "OOMKilled",
            "the run needed more memory than the profile's limit",
            FailureClass.INFRASTRUCTURE,
            run.exit_code,
        )
    return of_exit_code(run.exit_code or 0, run.message)


def worktree_seconds(pod: PodView) -> float | None:
    """Seconds from the pod's creation to its ready worktree; None when it has none yet."""
    workspace = pod.container(WORKSPACE_CONTAINER)
    if workspace is None or workspace.exit_code != 0 or workspace.finished_at is None:
        return None
    return seconds_between(pod.created_at, parse(workspace.finished_at))


def of_exit_code(code: int, message: str = "") -> Verdict:
    """The verdict over the command's own exit code."""
    if code == 0:
        return succeeded()
    text = f"the command ended with exit code {code}" + (f": {message.strip()}" if message.strip() else "")
    return Verdict(Phase.FAILED, "CommandFailed", text, FailureClass.AGENT, code)


def _never_ran(pod: PodView) -> Verdict:
    workspace = pod.container(WORKSPACE_CONTAINER)
    if workspace is not None and workspace.terminated == "OOMKilled":
        return infrastructure(WORKTREE_OUT_OF_MEMORY, "creating the worktree needed more memory than its limit")
    if workspace is not None and workspace.exit_code:
        reason = _WORKSPACE_REASONS.get(workspace.exit_code, WORKTREE_FAILED)
        return infrastructure(
            reason, workspace.message or f"the workspace container ended with exit code {workspace.exit_code}"
        )
    # Among the reasons are those of a kubelet that does not admit the pod: UnexpectedAdmissionError, OutOfmemory, …
    return infrastructure(pod.reason or "PodFailed", pod.message or "the pod failed before the command started")


def in_the_light_of(work: CommittedWork, verdict: Verdict | None) -> Verdict:
    """The verdict, once it is known what the keeper wrote.

    When the pod object is gone (`verdict` None), that alone tells whether the command had ended by itself. The same
    when the workspace container failed: no keeper starts after that, so one of an earlier pod of this attempt wrote it.
    """
    if work.stop_reason in _STOPPED and (verdict is None or verdict.reason in _ENDED_BY_ITSELF):
        code = None if verdict is None else verdict.exit_code
        return Verdict(Phase.FAILED, work.stop_reason, _STOPPED[work.stop_reason], FailureClass.AGENT, code)
    if verdict is not None and verdict.reason not in {WORKTREE_FAILED, WORKTREE_OUT_OF_MEMORY, *EXIT_CODES}:
        return verdict
    if work.complete and work.exit_code is not None and (verdict is not None or work.exit_code == 0):
        return of_exit_code(work.exit_code)
    # A command that is told to stop because its pod goes ends with an exit code too, one that says nothing about it.
    return verdict or infrastructure("PodLost", "the pod disappeared before the command ended")


def of_stuck_pod(pod: PodView, waited: float, patience: float) -> Verdict | None:
    """A pod that waits for something that will not come: an image that cannot be had, a container that cannot be
    created. None while there is hope.
    """
    for container in pod.containers:
        if container.waiting in _HOPELESS and (waited >= patience or container.waiting == "InvalidImageName"):
            reason = "ImagePullFailed" if "Image" in container.waiting else reason_of_waiting(container)
            return infrastructure(reason, f"container {container.name}: {container.waiting_message}")
    return None


def reason_of_waiting(container: ContainerView) -> str:
    """Why the container waits, in the kubelet's word, or in a better one where its message says which."""
    if container.waiting == "CreateContainerConfigError":
        for reason, told in _MISSING.items():
            if told.search(container.waiting_message):
                return reason
    return container.waiting or ""


_MISSING = {
    "SecretMissing": re.compile(r'^secrets? ".*" not found|find key .* in Secret '),
    "ConfigMapMissing": re.compile(r'^configmaps? ".*" not found|find key .* in ConfigMap '),
}
"""What kubelets say of a variable that they cannot set. In other words it keeps their reason."""


_HOPELESS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
    }
)


def infrastructure(reason: str, message: str) -> Verdict:
    """A failure that is not the command's."""
    return Verdict(Phase.FAILED, reason, message, FailureClass.INFRASTRUCTURE)
