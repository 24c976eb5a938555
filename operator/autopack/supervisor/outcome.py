"""From how a command ended to what is said about the run. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from autopack.phases import Phase

from .process import Ended

_SHELL_SIGNAL = 128
# A new attempt may go better; for other reasons it would end the same way, or somebody wants it to end.
_RETRYABLE = frozenset({"CommandFailed", "Timeout", "WorktreeAddFailed", "GitFailed", "GitTimeout", "LockTimeout"})


@dataclass(frozen=True)
class Verdict:
    """How an attempt ended: `reason` in one word (None for success), `message` in one sentence."""

    state: Phase
    exit_code: int
    reason: str | None = None
    message: str | None = None


def judge(ended: Ended, timeout: float | None) -> Verdict:
    """Return the verdict on a command that has ended."""
    if ended.stopped:
        return Verdict(Phase.CANCELED, ended.exit_code, "Canceled", "stopped, because the supervisor was asked to stop")
    if ended.timed_out:
        return Verdict(Phase.FAILED, ended.exit_code, "Timeout", f"timed out after {timeout or 0:g} s and was stopped")
    if ended.exit_code == 0:
        return Verdict(Phase.SUCCEEDED, 0)
    message = f"the command ended with exit code {ended.exit_code}"
    if ended.exit_code > _SHELL_SIGNAL:
        message += f" (signal {ended.exit_code - _SHELL_SIGNAL})"
    return Verdict(Phase.FAILED, ended.exit_code, "CommandFailed", message)


def is_retryable(reason: str | None) -> bool:
    """Tell whether another attempt may go better."""
    return reason in _RETRYABLE
