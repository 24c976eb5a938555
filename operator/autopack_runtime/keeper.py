"""The sidecar: saves the run's work every few seconds, and all of it when the run has ended or the pod must go."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from autopack.errors import AutopackError, InvalidInput
from autopack.log import log

from .finish import finish
from .guard import Guard
from .pod import Pod
from .saver import Saved, Saver
from .signals import STOP, hold_signals

if TYPE_CHECKING:
    from autopack.agents.listener import Listener

_GIT_DIR = "/tmp/keeper.git"  # noqa: S108 - a container's own, which the run does not see
_POLL_SECONDS = 0.15
_RETRY_SECONDS = 2.0
# A kubelet restarts a sidecar that ends before it has seen the command's end, so the keeper waits to be told. Not
# forever: a SIGTERM sent before Python could take it is lost, and the pod would stay until its grace period is over.
_LINGER_SECONDS = 1.0
_LINGER_AGAIN_SECONDS = 10.0
_LINGER_FENCED_SECONDS = 3600.0
_SHARE = 20
"""Saving may take one part in so many of the time; on a big tree it is done less often."""
_SHARE_AFTER_COMMITS = 4
"""Likewise where the run commits again and again: commits are saved at once, for those are what must not be lost."""


def run(environ: Mapping[str, str]) -> int:
    """Keep until the run has ended or we are told to stop; return the container's exit code."""
    os.umask(0o002)
    hold_signals()
    try:
        pod = Pod.from_environment(environ)
        seconds = _interval(environ)
        guard = Guard.from_environment(pod, environ)
        listener = _listener(pod, environ)
    except AutopackError as error:
        log("error", "the keeper cannot start", error=str(error))
        return 2
    if pod.files.result.exists():
        _stopped_within(_LINGER_AGAIN_SECONDS)
        return 0
    saver = Saver(pod, Path(environ.get("AUTOPACK_KEEPER_DIR", _GIT_DIR)))
    stopped = watch(pod, saver, seconds, _stopped_within, guard, listener)
    if pod.fenced:
        # Nothing to save for anybody; to end would have us started again while the command still ends.
        return 0 if stopped or _stopped_within(_LINGER_FENCED_SECONDS) else 1
    if not finish_or_retry(pod, saver, guard, listener, stopped=stopped):
        return 1
    if not stopped:
        _stopped_within(_LINGER_SECONDS)
    return 0


def _listener(pod: Pod, environ: Mapping[str, str]) -> Listener | None:
    output = environ.get("AUTOPACK_AGENT_OUTPUT")
    if not output:
        return None
    # Only here: most runs have no agent that tells anything, and all of them wait for their keeper to start.
    from autopack.agents.formats import FORMATS, OutputFormat
    from autopack.agents.listener import Listener

    try:
        return Listener(pod.artifacts, FORMATS[OutputFormat(output)])
    except (ValueError, KeyError) as error:
        raise InvalidInput("AUTOPACK_AGENT_OUTPUT", "is no format that is read", "The operator sets it") from error


def _interval(environ: Mapping[str, str]) -> float:
    text = environ.get("AUTOPACK_SNAPSHOT_SECONDS", "10")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0.1 <= seconds <= 86400:
        raise InvalidInput("AUTOPACK_SNAPSHOT_SECONDS", f"'{text[:20]}' is not a number of seconds from 0.1", "Use 10")
    return seconds


def _stopped_within(seconds: float) -> bool:
    return signal.sigtimedwait(STOP, seconds) is not None


def watch(
    pod: Pod,
    saver: Saver,
    seconds: float,
    stopped_within: Callable[[float], bool],
    guard: Guard,
    listener: Listener | None,
) -> bool:
    """Save after each commit, and every `seconds` or less often where that takes long, until the run ends or is fenced.

    `stopped_within(s)` waits so long for the signal to stop. Returns whether it came.
    """
    try:
        saver.prepare()
    except (AutopackError, OSError) as error:
        log("warning", "the keeper starts without a git dir of its own", error=str(error))
    due, rested = time.monotonic() + seconds, time.monotonic()
    before: Saved | None = None
    while not pod.files.exit_file.exists():
        if stopped_within(_POLL_SECONDS):
            return True
        guard.look()
        if pod.fenced:
            return False
        if time.monotonic() >= due or (time.monotonic() >= rested and saver.head_has_moved()):
            took, saved = _timed_save(saver, listener)
            if saved != before:
                guard.note_change()
                before = saved
            due = time.monotonic() + max(seconds, _SHARE * took)
            rested = time.monotonic() + _SHARE_AFTER_COMMITS * took
    return False


def _timed_save(saver: Saver, listener: Listener | None) -> tuple[float, Saved | None]:
    """Save, and return how long it took and what was saved; a failure (None) is for the next time to repair."""
    started, saved = time.monotonic(), None
    if listener is not None:
        listener.listen()
    try:
        saved = saver.save()
    except (AutopackError, OSError) as error:
        log("warning", "a snapshot failed and will be tried again", error=str(error))
    return time.monotonic() - started, saved


def finish_or_retry(pod: Pod, saver: Saver, guard: Guard, listener: Listener | None, *, stopped: bool) -> bool:
    """Finish, again and again while there is time (a full disk may empty); return whether it worked."""
    while True:
        try:
            finish(pod, saver, listener, guard.reason)
        except (AutopackError, OSError) as error:
            log("error", "the attempt's work could not be saved", error=str(error))
        else:
            return True
        if stopped or _stopped_within(_RETRY_SECONDS):
            return False
