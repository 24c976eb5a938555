"""The init container: makes the attempt's private git dir and its worktree, and says so last.

May be run again after a crash at any point. A workspace that is ready, or in which a command has begun, is never
touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from autopack.bound_files import EXIT_CODES, FOLDER, VARIABLE, check_all_there
from autopack.errors import AutopackError, printable
from autopack.failpoints import hit
from autopack.files import sync_directory, write_atomic, write_json_atomic
from autopack.git.bare import make_bare
from autopack.git.worktree import add_worktree
from autopack.log import log
from autopack.scan import read_small

from .account import write_account
from .origin import Origin, bring_origin, read_origin, settings_of
from .pod import Pod
from .resume import bring_back, take_over

EXIT_WORKTREE_FAILED = 20
_ENTRYPOINT = "/usr/local/bin/autopack-entrypoint"
_BIN = "/autopack-bin"
_HOME = "/tmp"  # noqa: S108 - an emptyDir of the container's own
_TERMINATION_LOG = "/dev/termination-log"
# Garbage is never collected beside a committer, and a run lives too short to need it.
_SETTINGS = """\
[gc]
	auto = 0
[maintenance]
	auto = false
[core]
	logAllRefUpdates = true
"""


def run(environ: Mapping[str, str]) -> int:
    """Make the workspace; return the container's exit code: 0, or else with the reason in the termination log.

    It is one of EXIT_CODES when a file is missing that the profile promises, and 20 when the worktree cannot be made.
    """
    os.umask(0o002)
    try:
        bound = filter(None, environ.get(VARIABLE, "").split(":"))
        check_all_there(Path(environ.get("AUTOPACK_FILES", FOLDER)), bound)
        pod = Pod.from_environment(environ)
        shared = Path(environ.get("AUTOPACK_BIN", _BIN))
        install_entrypoint(Path(environ.get("AUTOPACK_ENTRYPOINT", _ENTRYPOINT)), shared)
        write_account(shared, environ.get("HOME", _HOME))
        make(pod)
    except (AutopackError, OSError) as error:
        message = str(error) if isinstance(error, AutopackError) else printable(f"{error.strerror}: {error.filename}")
        log("error", "the workspace could not be made", error=message)
        with contextlib.suppress(OSError):
            Path(environ.get("AUTOPACK_TERMINATION_LOG", _TERMINATION_LOG)).write_text(message + "\n")
        return EXIT_CODES.get(getattr(error, "reason", ""), EXIT_WORKTREE_FAILED)
    return 0


def install_entrypoint(source: Path, folder: Path) -> None:
    """Put the entrypoint where the user's container finds it."""
    write_atomic(folder / source.name, source.read_bytes(), 0o755)


def make(pod: Pod) -> None:
    """Make the attempt's git dir and worktree, unless they are there; raise AutopackError or OSError."""
    started = time.monotonic()
    if read_small(pod.files.ready_marker, 1 << 16) is not None:
        log("info", "the workspace exists already", run=pod.identity.run_id)
        return
    if pod.files.command_began:
        message = "a command has begun in this workspace, but the workspace's ready marker is gone"
        raise AutopackError("WorkspaceExists", message, "Start another attempt")
    _clear(pod)
    hit("workspace.after_clear")
    origin = read_origin(pod)
    _make_repo(pod, origin)
    hit("workspace.after_repo")
    start = take_over(pod)
    bring_origin(pod, origin)
    add_worktree(pod.repo, pod.workspace, start.head, start.branch, in_place=True)
    hit("workspace.after_worktree")
    bring_back(pod, start)
    for name in ("ci", "baselines", "logs"):
        (pod.artifacts / name).mkdir(exist_ok=True)
    sync_directory(pod.artifacts)
    seconds = round(time.monotonic() - started, 3)
    ready_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    ready = {
        "sha": pod.identity.base_sha,
        "branch": pod.identity.branch,
        "resumedFrom": (start.uncommitted or start.head) if start.resumed else None,
        "readyAt": ready_at,
        "seconds": seconds,
    }
    write_json_atomic(pod.files.ready_marker, ready)
    log("info", "the workspace is ready", run=pod.identity.run_id, sha=pod.identity.base_sha, seconds=seconds)


def _clear(pod: Pod) -> None:
    """Remove what an earlier start of this container left half made; the mount points themselves stay."""
    for repository in (pod.repo, pod.files.outbox):
        if os.path.lexists(repository):
            shutil.rmtree(repository)
    for entry in list(os.scandir(pod.workspace)):
        if stat.S_ISDIR(entry.stat(follow_symlinks=False).st_mode):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink()


def _make_repo(pod: Pod, origin: Origin) -> None:
    pod.files.run_side.mkdir(exist_ok=True)
    make_bare(pod.repo, _SETTINGS + settings_of(pod, origin))
    (pod.repo / "objects" / "info" / "alternates").write_bytes(os.fsencode(pod.mirror / "objects") + b"\n")
