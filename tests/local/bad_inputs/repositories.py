"""Repositories. "redirect to another host" and "corrupt mirror" are for the volume service's tests: nothing is fetched
here.
"""

from __future__ import annotations

import errno
import os

from tests.local.supervisor.scene import python
from tests.local.workspaces.repos import commit, git, head

from autopack.agents.formats import Format
from autopack.file_layout import RunFileLayout
from autopack.git.runner import run_git
from autopack.supervisor import attempt_files, execution

from .table import FAILS, REFUSED, SECRET, WORKS, Place, Row, path_in

_NONE = "is not a git repository"
_COMMIT = python("import os; open('x', 'w').close(); os.system('git add -A && git commit -qm work')")


def _repo(text: str) -> tuple[str, ...]:
    return (f"--source-repo={text}",)


def _empty(place: Place) -> None:
    run_git(["init", "-q", "empty"], cwd=place.scene.root)


def _branch_that_goes(place: Place) -> dict[str, str]:
    commit(place.scene.repo, {"topic": "x"})
    git(place.scene.repo, "branch", "topic")
    git(place.scene.repo, "reset", "-q", "--hard", "HEAD^")
    return {"repo": str(place.scene.repo)}


def _branch_elsewhere(place: Place) -> None:
    git(place.scene.repo, "worktree", "add", "-q", "-b", "autopack/a", str(path_in(place, "elsewhere")))


def _submodule(place: Place) -> None:
    repo = place.scene.repo
    url = f"ext::sh -c touch% {path_in(place, 'pwned')}"
    git(repo, "config", "--file", ".gitmodules", "submodule.x.url", url)
    git(repo, "config", "--file", ".gitmodules", "submodule.x.path", "x")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{head(repo)},x")
    git(repo, "add", ".gitmodules")
    git(repo, "commit", "-q", "-m", "submodule")


def _lfs(place: Place) -> None:
    commit(place.scene.repo, {"big/.gitattributes": "*.bin filter=lfs -text\n"})


def _planted(place: Place) -> None:
    program = path_in(place, "planted")
    program.write_text(f"#!/bin/sh\ntouch {path_in(place, 'pwned')}\n")
    program.chmod(0o755)
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-commit"):
        (place.scene.repo / ".git/hooks" / hook).symlink_to(program)
    git(place.scene.repo, "config", "core.fsmonitor", str(program))


def _nothing_was_executed(place: Place) -> None:
    assert not path_in(place, "pwned").exists()


def _stale_lock(place: Place) -> None:
    (place.scene.repo / ".git/index.lock").touch()


def _full_disk(place: Place) -> None:
    before = attempt_files.set_aside_earlier

    def full(layout: RunFileLayout, told: Format | None = None) -> None:
        if layout.run_id == "a":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        before(layout, told)

    place.monkeypatch.setattr(execution, "set_aside_earlier", full)


ROWS = [
    Row("--upload-pack=x", REFUSED, _NONE, _repo("--upload-pack=x")),
    Row("ext::sh", REFUSED, _NONE, _repo("ext::sh -c touch% pwned"), check=_nothing_was_executed),
    Row("file:///", REFUSED, _NONE, _repo("file:///etc")),
    Row("metadata-service address", REFUSED, _NONE, _repo("http://169.254.169.254/latest")),
    Row("password in the URL", REFUSED, _NONE, _repo(f"https://user:{SECRET}@host/r.git")),
    Row(
        "password in the URL of the environment",
        REFUSED,
        _NONE,
        ("worktrees", "list"),
        alone=True,
        env={"AUTOPACK_REPO_PATH": f"https://user:{SECRET}@host/r.git"},
    ),
    Row("no repository", REFUSED, "source_repo: /etc is not a git repository", _repo("/etc")),
    Row("ref -x", REFUSED, "ref: '-x' begins with '-'", ("--ref=-x",)),
    Row("ref --upload-pack=x", REFUSED, "ref: '--upload-pack=x' begins with '-'", ("--ref", "--upload-pack=x")),
    Row("ref $(id)", REFUSED, "the repository has no branch, tag or commit '$(id)'", ("--ref", "$(id)")),
    Row("missing ref", REFUSED, "the repository has no branch, tag or commit 'gone'", ("--ref", "gone")),
    Row("empty repo", REFUSED, "commit 'HEAD'. Give another --ref, or commit something", _repo("empty"), given=_empty),
    Row(
        "force-pushed or deleted branch",
        WORKS,
        "Total: 2/2 successful",
        (
            "--ref",
            "topic",
            "--workers",
            "1",
            "--command",
            "sh -c 'git update-ref -d refs/heads/topic && test -f topic'",
        ),
        given=_branch_that_goes,
    ),
    Row(
        "branch checked out elsewhere",
        WORKS,
        "Branch: autopack/a@2 ",
        ("--command", _COMMIT),
        given=_branch_elsewhere,
    ),
    Row(
        "malicious submodule",
        REFUSED,
        "in a worktree: x. Accept that with --allow-incomplete, and fetch",
        given=_submodule,
        check=_nothing_was_executed,
    ),
    Row(
        "Git LFS where it is not installed",
        REFUSED,
        "or accept pointer files with --allow-incomplete",
        env={"HOME": "/nonexistent"},
        given=_lfs,
    ),
    Row("Git LFS, pointers accepted", WORKS, "Total: 2/2", ("--allow-incomplete",), given=_lfs),
    Row(
        "malicious submodule, incomplete tree accepted",
        WORKS,
        "Total: 2/2 successful",
        ("--allow-incomplete",),
        given=_submodule,
        check=_nothing_was_executed,
    ),
    Row("planted hook / core.fsmonitor", WORKS, "Total: 2/2", given=_planted, check=_nothing_was_executed),
    Row("stale index.lock", WORKS, "Total: 2/2 successful", given=_stale_lock),
    Row("full disk", FAILS, "No space left on device", given=_full_disk),
]
