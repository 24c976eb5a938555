"""Gives a new worktree the state that an earlier attempt left: its commits as they were, and what it had not
committed as changes that are not committed.
"""

from __future__ import annotations

from typing import NamedTuple

from autopack.git.bundles import EXTRA, HEADS, KEPT, UNCOMMITTED, branches_of, list_heads, snapshot_of
from autopack.git.runner import run_git
from autopack.git.snapshot import IDENTITY

from .checkout import CHECKOUT, check_out_again
from .inner import make_again
from .outbox import make_outbox
from .pod import Pod

_RESTORED = ("tags/", "notes/")
"""Other refs of the earlier attempt (its stash, say) stay with its results; some would change how git reads ours."""


class Start(NamedTuple):
    """Where a worktree begins: a commit, the branch that is checked out (None: HEAD is detached), and the commit
    that holds the files on top of it (None: there are no changes). `kept` holds what no ref leads to, `checkout` which
    files were not wanted (None: all were).
    """

    head: str
    branch: str | None
    uncommitted: str | None = None
    resumed: bool = False
    kept: str | None = None
    checkout: str | None = None


def take_over(pod: Pod) -> Start:
    """Take the commits and refs from the bundle that was carried over into the attempt's own repository."""
    base, own = pod.identity.base_sha, pod.identity.branch
    carried = pod.files.bundle.exists()
    refs = list_heads(pod.files.bundle) if carried else {}
    make_outbox(pod, refs)
    if not carried:
        return Start(base, own)
    printed = run_git(["bundle", "unbundle", str(pod.files.bundle)], git_dir=pod.repo).text.splitlines()
    told = next((line.split(" ", 1)[0] for line in printed if line.endswith(" HEAD")), base)
    branches = {own: base} | branches_of(refs)
    names = {f"{HEADS}{name}": sha for name, sha in branches.items()}
    for name, sha in refs.items():
        rest = name.removeprefix(EXTRA)
        if rest != name and rest.startswith(_RESTORED):
            names[f"refs/{rest}"] = sha
    commands = "".join(f"update {name} {sha}\n" for name, sha in names.items())
    run_git(["update-ref", "--stdin"], git_dir=pod.repo, input=commands.encode())
    saved = snapshot_of(refs)
    if saved is not None and _is_uncommitted_work(pod, saved):
        head, uncommitted = run_git(["rev-parse", f"{saved}^"], git_dir=pod.repo).text, saved
    else:
        head, uncommitted = saved or told, None
    branch = next((name for name in (own, *sorted(branches)) if branches[name] == head), None)
    return Start(head, branch, uncommitted, resumed=True, kept=refs.get(KEPT), checkout=refs.get(CHECKOUT))


def _is_uncommitted_work(pod: Pod, sha: str) -> bool:
    """Tell a keeper's commit of uncommitted files from one of the run's own, saved because no branch led to it."""
    shown = run_git(["show", "--no-patch", "--format=%ce%n%s", sha], git_dir=pod.repo).text.split("\n")
    return shown[0] == IDENTITY["GIT_COMMITTER_EMAIL"] and shown[1].startswith(UNCOMMITTED)


def bring_back(pod: Pod, start: Start) -> None:
    """Put the uncommitted files into the clean worktree, and leave them uncommitted, inner repositories likewise."""
    if start.uncommitted is not None:
        _bring_back_files(pod, start.head, start.uncommitted)
    if start.kept is not None:
        make_again(pod, start.kept)
    if start.checkout is not None:
        check_out_again(pod, start.checkout)


def _bring_back_files(pod: Pod, head: str, uncommitted: str) -> None:
    run_git(["read-tree", "-m", "-u", head, uncommitted], cwd=pod.workspace)
    run_git(["reset", "--quiet", "--mixed"], cwd=pod.workspace)
    # Nothing else is in the tree, so a file that is ignored was added by force; left out of the index, the next
    # snapshot would not know it for the run's.
    forced = run_git(["ls-files", "-z", "--others", "--ignored", "--exclude-standard"], cwd=pod.workspace).stdout
    if forced:
        pathspecs = b"".join(b":(top,literal)" + path + b"\0" for path in forced.split(b"\0") if path)
        add = ["add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"]
        run_git(add, cwd=pod.workspace, input=pathspecs)
