"""Results for the caller, from what is known about a run."""

from __future__ import annotations

from pathlib import Path

from autopack.agents.usage import dollars, from_json
from autopack.counts import count_of
from autopack.errors import AutopackError, printable
from autopack.file_layout import RunFileLayout
from autopack.phases import Phase
from autopack.registry.events import RunRecord
from autopack.unsaved import describe

from .attempt_files import log_paths
from .models import NOT_STARTED, TAIL_BYTES, RunResult
from .process import tail

_SHOWN_SHA = 12


def result_of(facts: RunRecord, layout: RunFileLayout, seconds: float, *, skipped: bool = False) -> RunResult:
    """Return the result of a run that has ended; the ends of its output are read from its log files."""
    stdout, stderr, _ = log_paths(layout)
    return RunResult(
        run_id=facts.run_id,
        success=facts.state is Phase.SUCCEEDED,
        exit_code=-1 if facts.exit_code is None else facts.exit_code,
        workspace=None if facts.workspace is None else Path(facts.workspace),
        stdout=tail(stdout, TAIL_BYTES),
        stderr=tail(stderr, TAIL_BYTES),
        error=facts.message,
        reason=facts.reason,
        attempt=facts.attempt,
        seconds=seconds,
        branch=facts.branch,
        commit=facts.head_sha,
        snapshot=facts.snapshot_sha,
        skipped=skipped,
        base=facts.base_sha,
        ref=facts.ref,
        saved=facts.saved,
        unsaved=facts.unsaved,
        history_ref=facts.history_ref,
        usage=facts.usage,
        summary=facts.summary,
    )


def failed_result(run_id: str, error: Exception) -> RunResult:
    """Return the result of a run that could not even begin."""
    reason, said = "InternalError", f"{type(error).__name__}: {error}"
    if isinstance(error, AutopackError):
        reason, said = error.reason, str(error)
    elif isinstance(error, OSError):
        reason, said = "InputOutput", str(error)
    return RunResult(run_id, success=False, exit_code=-1, error=printable(said, 1000), reason=reason)


def not_started(run_id: str) -> RunResult:
    """Return the result of a run whose turn did not come."""
    error = "not started, because the batch was interrupted; run the same command again to continue"
    return RunResult(run_id, success=False, exit_code=-1, error=error, reason=NOT_STARTED)


def told_by_agent(result: RunResult) -> dict[str, str]:
    """Say what a run's agent told of itself: by a word for people."""
    usage, found = from_json(result.usage), {}
    if result.summary:
        found["Agent"] = result.summary
    tokens, cost = usage.total_tokens, usage.micro_usd
    used = [*([] if tokens is None else [count_of(tokens, "token")]), *([] if cost is None else [f"${dollars(cost)}"])]
    return found | ({"Used": ", ".join(used)} if used else {})


def places_of(result: RunResult) -> dict[str, str]:
    """Say where a run's work is, and what of it is nowhere: by a word for people. Empty if there is nothing to say."""
    found = {}
    if result.branch and result.commit:
        found["Branch"] = f"{result.branch} ({result.commit[:_SHOWN_SHA]})"
    if result.ref and result.snapshot:
        found["Saved"] = f"{result.ref} ({result.snapshot[:_SHOWN_SHA]})"
    if result.history_ref:
        found["Also saved"] = result.history_ref
    if not found and result.commit != result.base:
        found["Commit"] = str(result.commit)
    if result.saved != "all":
        found["NOT SAVED"] = describe(result.unsaved)
    return found
