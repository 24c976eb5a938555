"""The end of an attempt: its manifest and, last of all, its result."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autopack import manifest
from autopack.errors import AutopackError, printable
from autopack.failpoints import hit
from autopack.files import write_atomic, write_json_atomic
from autopack.log import log
from autopack.scan import artifacts, open_regular, read_small
from autopack.unsaved import MAX_REASON
from autopack_volume.contract.stop_reasons import IDLE

from .pod import Pod
from .saver import Saved, Saver, check_fence

if TYPE_CHECKING:
    from autopack.agents.listener import Listener

_MAX_EXIT_FILE = 1 << 16
_MOST_NAMED = 20


def finish(pod: Pod, saver: Saver, listener: Listener | None, stop_reason: str | None) -> None:
    """Save the last state, then write manifest.json and result.json. Raises AutopackError or OSError.

    `stop_reason` says why the keeper had the command stopped, if it did.
    """
    saved = _save_or_last(saver)
    hit("keeper.after_save")
    check_fence(pod)
    told = _told(listener) if listener is not None else {}
    work = manifest.Work(saved.head, saved.branches, saved.snapshot, _bundle_digest(pod))
    raw = manifest.encode(manifest.build(pod.identity, work, artifacts(pod.artifacts, pod.files.own_names)))
    check_fence(pod)
    write_atomic(pod.files.manifest, raw)
    hit("keeper.after_manifest")
    ended = _exit_file(pod)
    write_json_atomic(
        pod.files.result,
        {
            "version": 1,
            "runId": pod.identity.run_id,
            "uid": pod.identity.uid,
            "attempt": pod.identity.attempt,
            "exitCode": _integer(ended.get("exitCode")),
            "signal": _integer(ended.get("signal")),
            "stopReason": stop_reason or (IDLE if ended.get("stopReason") == IDLE else None),
            "startedAt": _text(ended.get("startedAt")),
            "finishedAt": _text(ended.get("finishedAt")) or datetime.now(UTC).isoformat(timespec="milliseconds"),
            "head": saved.head,
            "manifestSha256": hashlib.sha256(raw).hexdigest(),
            # False keeps the workspace: something in it may be nowhere else.
            "complete": not saved.unsaved,
            "unsavedCount": len(saved.unsaved),
            "unsaved": saved.unsaved[:_MOST_NAMED],
            **told,
        },
    )
    log("info", "the attempt's work is saved", run=pod.identity.run_id, head=saved.head, unsaved=len(saved.unsaved))


def _told(listener: Listener) -> dict[str, object]:
    told = listener.conclude()
    if listener.problem:
        log("warning", "what the agent told is not all there", problem=listener.problem)
    return told


def _save_or_last(saver: Saver) -> Saved:
    try:
        return saver.save(last=True)
    except (AutopackError, OSError) as error:
        log("error", "the last state could not be saved; what was saved before stands", error=str(error))
        return saver.last(printable(str(error), MAX_REASON))


def _bundle_digest(pod: Pod) -> manifest.BundleDigest | None:
    try:
        descriptor = open_regular(pod.files.bundle)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return manifest.BundleDigest(digest.hexdigest(), os.fstat(file.fileno()).st_size)


def _exit_file(pod: Pod) -> dict[str, object]:
    """Read what the entrypoint wrote; the run could have written anything there, or nothing."""
    try:
        content = json.loads(read_small(pod.files.exit_file, _MAX_EXIT_FILE) or b"{}")
    except (AutopackError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= 64 else None
