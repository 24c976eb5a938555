"""Statuses as they follow from one another. The phase is derived here and nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from autopack.counts import count_of
from autopack.errors import printable
from autopack.measures import duration
from autopack.phases import Phase
from autopack.unsaved import describe
from autopack_operator.domain import naming, usage
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.run import AutopackRunSpec, StartFrom
from autopack_operator.domain.api.status import MAX_OUTBOX, AutopackRunStatus, Condition, Outcome
from autopack_operator.domain.conditions import MAX_MESSAGE, MAX_REASON, ConditionType, find, with_condition
from autopack_operator.domain.run.retry import backoff_seconds, counted
from autopack_operator.domain.run.verdict import RUN_CONTAINER, WORKSPACE_CONTAINER, Verdict, reason_of_waiting
from autopack_operator.domain.spending.views import Spent
from autopack_operator.domain.times import parse, rfc3339
from autopack_operator.domain.views import AnchorVerdict, Attempt, CommittedWork, PodView, RunView, VolumeFailure

STARTING = frozenset({"PodPending", "PodInitializing"})
"""Reasons of a pod that nothing holds up."""

NOT_ALL_SAVED = "NotAllSaved"
"""The reason of a run that succeeded, but whose work is not all saved."""

_TEXTS = {"reason": lambda text: printable(text, MAX_REASON), "message": lambda text: printable(text, MAX_MESSAGE)}


class Editor:
    """Collects changes to one status. Conditions get the run's generation and the time of the decision."""

    def __init__(self, run: RunView, now: datetime) -> None:
        self._run, self._now = run, now
        self._fields: JsonDict = {"observed_generation": run.generation}
        self._conditions: list[Condition] = list(run.status.conditions)

    def set(self, **fields: Any) -> Editor:  # noqa: ANN401 - names and types are those of AutopackRunStatus
        """Set fields of the status. Texts may come from a run's command or a node: they are made inert and bounded."""
        self._fields |= fields | {name: _TEXTS[name](fields[name]) for name in _TEXTS.keys() & fields.keys()}
        return self

    def condition(self, kind: ConditionType, status: bool | None, reason: str, message: str = "") -> Editor:
        """Set one condition."""
        self._conditions = with_condition(
            self._conditions, kind, status, reason, message, now=self._now, generation=self._run.generation
        )
        return self

    def done(self) -> AutopackRunStatus:
        """The resulting status."""
        return self._run.status.model_copy(update={**self._fields, "conditions": self._conditions})


def waiting(run: RunView, phase: str, reason: str, message: str, now: datetime) -> AutopackRunStatus:
    """The run cannot go on for now."""
    return Editor(run, now).set(phase=phase, reason=reason, message=message).done()


def unprepared(run: RunView, phase: str, failure: VolumeFailure, now: datetime) -> AutopackRunStatus:
    """What the attempt begins with is out of reach for now; the condition says since when."""
    edit = Editor(run, now).set(phase=phase, reason=failure.reason, message=failure.message)
    return edit.condition(ConditionType.PREPARED, False, failure.reason, failure.message).done()


def held(run: RunView, now: datetime) -> AutopackRunStatus:
    """The run waits because it is suspended; its deadline is counted again when it goes on."""
    edit = Editor(run, now).set(phase=Phase.PENDING, reason="Suspended", message="spec.suspend is true")
    return _prepared(edit, run, None, "Suspended").set(active_since=None).done()


def _prepared(edit: Editor, run: RunView, status: bool | None, reason: str) -> Editor:
    """Correct what was told of an attempt that could not be prepared."""
    before = find(run.status.conditions, ConditionType.PREPARED)
    return edit if before is None else edit.condition(ConditionType.PREPARED, status, reason)


def claimed(
    run: RunView, spec: AutopackRunSpec, attempt: Attempt, anchor: AnchorVerdict | None, now: datetime
) -> AutopackRunStatus:
    """The attempt is claimed: from this write on its number is the fencing token, and its pod may be made."""
    edit = Editor(run, now).set(
        phase=Phase.PREPARING,
        reason="AttemptClaimed",
        message="",
        attempt=attempt.number,
        next_attempt_at=None,
        outcome=None,
        pod_name=naming.pod_name(run.name, attempt.number),
        pod_uid=None,
        sha=attempt.sha,
        branch=branch_of(run, spec),
        repository_key=attempt.repository_key,
        workspace=attempt.workspace,
        artifacts=attempt.artifacts,
        resumed_from=attempt.resumed_from,
        spent_budget=None,
        active_since=run.status.active_since or rfc3339(now),
        exit_code=None,
    )
    if anchor is not None:
        edit.condition(ConditionType.ANCHOR_APPROVED, True, anchor.reason, anchor.message)
    edit.condition(ConditionType.LEASE_HELD, True, "Acquired", f"held by attempt {attempt.number}")
    _prepared(edit, run, True, "Prepared")
    if run.status.attempt:
        edit.condition(ConditionType.ARTIFACTS_COMMITTED, False, "AttemptUnderWay")
    return edit.done()


def branch_of(run: RunView, spec: AutopackRunSpec) -> str:
    """Branch that the run works on."""
    # A part of a ref is a file name, and git appends ".lock" to it: 253 characters would not fit.
    return spec.source.branch or f"autopack/{naming.shortened(run.name, 200)}"


def observed(run: RunView, pod: PodView, now: datetime) -> AutopackRunStatus:
    """What a pod that is under way shows."""
    edit = _prepared(Editor(run, now).set(pod_uid=pod.uid), run, True, "Prepared")
    command, workspace = pod.container(RUN_CONTAINER), pod.container(WORKSPACE_CONTAINER)
    if pod.scheduled:
        edit.condition(ConditionType.POD_SCHEDULED, True, "Scheduled")
    else:
        edit.condition(ConditionType.POD_SCHEDULED, False, _unscheduled(pod) or "Waiting", pod.message)
    if workspace is not None and workspace.exit_code == 0:
        edit.condition(ConditionType.WORKTREE_READY, True, "WorktreeCreated")
    if command is not None and (command.running or command.terminated):
        started = run.status.started_at or command.started_at or rfc3339(now)
        edit.set(phase=Phase.RUNNING, reason="CommandRunning", message="", started_at=started)
    else:
        reason, message = _holdup(pod)
        edit.set(phase=Phase.PREPARING, reason=reason, message=message)
    return edit.done()


def _unscheduled(pod: PodView) -> str:
    """Why the scheduler has no node for the pod; empty while it has not said so."""
    return "SchedulingGated" if pod.gated else "Unschedulable" if pod.message else ""


def _holdup(pod: PodView) -> tuple[str, str]:
    if not pod.scheduled:
        return _unscheduled(pod) or "PodPending", pod.message
    for container in pod.containers:
        if container.waiting and container.waiting not in {"PodInitializing", "ContainerCreating"}:
            return reason_of_waiting(container), container.waiting_message
    return "PodInitializing", ""


def decided(run: RunView, verdict: Verdict, now: datetime) -> AutopackRunStatus:
    """The end is decided but the pod still runs: the first of the two steps (as FailureTarget of the Job API)."""
    told = Editor(run, now).set(phase=Phase.FINISHING, reason=verdict.reason, message=verdict.message).done()
    outcome = Outcome(phase=verdict.phase, reason=told.reason, message=told.message)
    return told.model_copy(update={"outcome": outcome, "spent_budget": verdict.spent})


def billed(status: AutopackRunStatus, spent: Spent | None) -> AutopackRunStatus:
    """The status with what the gateway counted, which takes the place of what the agent told."""
    if spent is None or not spent.usage.known:
        return status
    return status.model_copy(update={"usage": usage.reported(spent.usage, usage.GATEWAY)})


def retried(
    run: RunView, spec: AutopackRunSpec, verdict: Verdict, committed: CommittedWork, now: datetime
) -> AutopackRunStatus:
    """The attempt failed and another will follow. What it left stays where `artifacts` of its number points.

    From here on, and until the next attempt is claimed, `resumed_from` says what that one shall begin with.
    """
    failures = counted(run.status.failures, verdict.failure)
    wait = backoff_seconds(spec.retry, failures, run.uid)
    edit = Editor(run, now).set(
        phase=Phase.PENDING,
        reason="Retrying",
        message=f"attempt {run.status.attempt} failed ({verdict.reason}: {verdict.message}); next in {duration(wait)}",
        failures=failures,
        next_attempt_at=rfc3339(now + timedelta(seconds=wait)),
        outcome=None,
        exit_code=verdict.exit_code,
        resumed_from=_saved_state(committed) if spec.retry.start_from is StartFrom.SNAPSHOT else None,
        **_work(run.status, committed),
    )
    return _between_attempts(edit, committed)


def suspended(run: RunView, verdict: Verdict, committed: CommittedWork, now: datetime) -> AutopackRunStatus:
    """The attempt was stopped on request and does not count as a failure; another follows on resume."""
    edit = Editor(run, now).set(
        phase=Phase.PENDING,
        reason=verdict.reason,
        message=verdict.message,
        next_attempt_at=rfc3339(now),
        active_since=None,
        resumed_from=_saved_state(committed),
        spent_budget=verdict.spent or run.status.spent_budget,
        outcome=None,
        **_work(run.status, committed),
    )
    return _between_attempts(edit, committed)


def _between_attempts(edit: Editor, committed: CommittedWork) -> AutopackRunStatus:
    edit.condition(ConditionType.LEASE_HELD, False, "Released")
    for kind in (ConditionType.POD_SCHEDULED, ConditionType.WORKTREE_READY):
        edit.condition(kind, False, "AttemptEnded")
    return _taken_in(edit, committed).done()


def _taken_in(edit: Editor, work: CommittedWork) -> Editor:
    reason = "Committed" if work.complete else "CommittedPartly"
    saved, how_much = _HOW_MUCH[work.saved]
    edit.condition(ConditionType.WORK_SAVED, saved, how_much, _not_saved(work))
    message = f"{count_of(work.files, 'file')}, {count_of(work.size, 'byte')}"
    return edit.condition(ConditionType.ARTIFACTS_COMMITTED, True, reason, message)


def finished(
    run: RunView,
    verdict: Verdict,
    now: datetime,
    *,
    committed: CommittedWork | None = None,
    not_committed: str = "",
    pod: PodView | None = None,
) -> AutopackRunStatus:
    """The terminal status; it never changes again."""
    status = run.status
    started = status.started_at or _started(pod)
    missing = _not_saved(committed)
    edit = Editor(run, now).set(
        phase=verdict.phase,
        # Nobody looks for what is missing where a run succeeded: it stands where the eye falls.
        reason=NOT_ALL_SAVED if missing and verdict.phase == Phase.SUCCEEDED else verdict.reason,
        message="; ".join(filter(None, (verdict.message, missing))),
        outcome=None,
        next_attempt_at=None,
        exit_code=verdict.exit_code,
        started_at=started,
        finished_at=rfc3339(now),
        duration=duration((now - parse(started)).total_seconds()) if started else None,
        **({"pod_uid": pod.uid} if pod is not None else {}),
        **_work(run.status, committed),
    )
    if pod is not None:
        _final_pod_conditions(edit, pod)
    if status.attempt:
        edit.condition(ConditionType.LEASE_HELD, False, "Released")
    if committed is not None:
        _taken_in(edit, committed)
    elif status.attempt and status.next_attempt_at is None:
        edit.condition(ConditionType.WORK_SAVED, None, "NotCommitted", not_committed)
        edit.condition(ConditionType.ARTIFACTS_COMMITTED, False, "NotCommitted", not_committed)
    edit.condition(ConditionType.SUCCEEDED, verdict.phase == Phase.SUCCEEDED, verdict.reason, verdict.message)
    return edit.done()


def _final_pod_conditions(edit: Editor, pod: PodView) -> None:
    workspace = pod.container(WORKSPACE_CONTAINER)
    if pod.scheduled:
        edit.condition(ConditionType.POD_SCHEDULED, True, "Scheduled")
    if workspace is not None and workspace.exit_code is not None:
        ready = workspace.exit_code == 0
        edit.condition(ConditionType.WORKTREE_READY, ready, "WorktreeCreated" if ready else "WorktreeFailed")


def refused_by_anchor(run: RunView, anchor: AnchorVerdict, now: datetime) -> AutopackRunStatus:
    """The gate said no: terminal, and no pod was ever made."""
    refusal = finished(run, Verdict(Phase.REFUSED, anchor.reason, anchor.message), now)
    with_anchor = with_condition(
        refusal.conditions,
        ConditionType.ANCHOR_APPROVED,
        False,
        anchor.reason,
        anchor.message,
        now=now,
        generation=run.generation,
    )
    return refusal.model_copy(update={"conditions": with_anchor})


def _started(pod: PodView | None) -> str | None:
    command = pod.container(RUN_CONTAINER) if pod is not None else None
    return command.started_at if command is not None else None


def _work(before: AutopackRunStatus, committed: CommittedWork | None) -> JsonDict:
    """What an attempt leaves in the status, which is written once for each: its usage is added up."""
    if committed is None:
        return {}
    return {
        "usage": usage.added(before.usage, committed.usage),
        "summary": committed.summary or before.summary,
        "commit": committed.head,
        "ref": committed.ref,
        "manifest_sha256": committed.manifest_sha256,
        "snapshot": committed.snapshot,
        "outbox": dict(sorted(committed.outbox.items())[:MAX_OUTBOX]) or None,
    }


_HOW_MUCH: dict[str, tuple[bool | None, str]] = {
    "all": (True, "Everything"),
    "partly": (False, "Partly"),
    "none": (False, "Nothing"),
    "unknown": (None, "KeeperCutShort"),
}


def _not_saved(work: CommittedWork | None) -> str:
    """What of the work is not saved, for people; empty when all of it is."""
    if work is None or work.saved == "all":
        return ""
    if work.saved == "unknown":
        return "the pod ended before its keeper had saved everything: look at the worktree, which is kept"
    more = work.unsaved_count - len(work.unsaved)
    named = describe(work.unsaved) or "what, its keeper did not say"
    return f"not saved: {named}" + (f" (of {work.unsaved_count})" if more > 0 else "") + "; the worktree is kept"


def _saved_state(committed: CommittedWork) -> str | None:
    return committed.snapshot or committed.head
