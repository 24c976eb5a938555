"""What a local run left to be delivered, and where: found in the repository and in the folder of runs. Blocking."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from autopack.delivery.remote import Way
from autopack.errors import InvalidInput, WorkspaceError, printable
from autopack.file_layout import RunFileLayout
from autopack.files import write_json_atomic
from autopack.git.branches import RUN_PREFIX
from autopack.git.ref_list import commit_of
from autopack.git.runner import run_git
from autopack.redaction import redact_url
from autopack.supervisor.attempt_files import read_result

PROTOCOLS = ("https", "ssh", "http", "file")
"""Where the user's own repository may be pushed to is the user's business."""
_PASSED_ON = ("GIT_SSH", "GIT_SSL_", "GIT_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
_NOTE = "delivery.json"


class Left(NamedTuple):
    """The commit of a run, and the commit that it began with."""

    base: str
    commit: str


class OwnGit(NamedTuple):
    """How the user's git reaches a server: from the user's repository, with what is configured there."""

    options: tuple[str, ...]
    env: dict[str, str]
    descriptors: tuple[int, ...] = ()


def left_by(layout: RunFileLayout, common: Path, *, uncommitted: bool) -> Left:
    """Return what a run left; WorkspaceError when it has not ended, or left nothing of that kind."""
    ended = read_result(layout)
    if ended is None or ended.base_sha is None:
        message = f"nothing tells that the run '{printable(layout.run_id, 120)}' has ended"
        raise WorkspaceError("RunUnknown", message, "Check the run id and --autonomous-runs-dir, or wait for its end")
    # The branch as it is now: somebody may have looked at it, and put something right.
    branch = commit_of(f"refs/heads/{RUN_PREFIX}{layout.name}", git_dir=common)
    commit = ended.snapshot_sha if uncommitted and ended.snapshot_sha else branch or ended.head_sha
    if commit is None:
        message = f"the run '{printable(layout.run_id, 120)}' left no commit"
        raise WorkspaceError("NothingToDeliver", message, "See `autopack diff`; --uncommitted delivers its files")
    return Left(ended.base_sha, commit)


def address_of(to: str, common: Path) -> str:
    """Return the address that a remote pushes to; an address as it is."""
    if not to or to.startswith("-") or not to.isprintable():
        raise InvalidInput("--to", f"'{printable(to, 120)}' is no remote and no address", "Give one such as origin")
    if ":" in to or "/" in to:
        return to
    found = run_git(["remote", "get-url", "--push", to], git_dir=common, check=False)
    if found.returncode != 0:
        message = f"the repository has no remote '{printable(to, 120)}'"
        raise InvalidInput("--to", message, "See `git remote -v`, or give an address")
    return found.text


@contextmanager
def own_git(common: Path, scratch: Path, environ: Mapping[str, str]) -> Iterator[Way]:
    """Yield the way from the user's repository. What is only in the repository `scratch` can be pushed as well."""
    kept = {name: value for name, value in environ.items() if name.startswith(_PASSED_ON)}
    # A list, separated by colons.
    quoted = '"' + str(scratch / "objects").replace("\\", "\\\\").replace('"', '\\"') + '"'
    yield OwnGit((f"--git-dir={common}",), kept | {"GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted})


def delivered_before(layout: RunFileLayout, target: str, branch: str) -> str:
    """Return the commit that we brought to a branch the last time; empty for none."""
    try:
        note = json.loads((layout.kept_dir / _NOTE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return ""
    if not isinstance(note, dict) or (note.get("target"), note.get("branch")) != (redact_url(target), branch):
        return ""
    return str(note.get("commit", ""))


def note_delivery(layout: RunFileLayout, target: str, branch: str, commit: str) -> None:
    """Write down what we have brought to a branch."""
    layout.kept_dir.mkdir(parents=True, exist_ok=True)
    write_json_atomic(layout.kept_dir / _NOTE, {"target": redact_url(target), "branch": branch, "commit": commit})
