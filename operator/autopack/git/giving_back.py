"""Gives what a run made in its private git dir to the repository it came from, checked and under refs.

`refs/autopack/<run>` becomes the run's last state: its uncommitted files on top of HEAD, or HEAD itself. What no ref of
the run reaches, and the repositories it made inside its tree, hang on a further commit in the run's history. Branches
and tags that are new go where the run put them; a branch or tag of the user's is never moved, but for the one the run
was given.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from autopack.errors import AutopackError
from autopack.failpoints import hit

from .bare import make_bare
from .config_text import including
from .keeping.gather import Gathered, gather
from .keeping.keeper import reached
from .keeping.repositories import Place
from .keeping.stores import alternate, loose_in
from .layout import has_no_ref, layout_of
from .private import began_with
from .ref_list import commit_of, list_refs, resolve
from .runner import run_git
from .save import Saved, history, history_ref, next_history, run_ref
from .snapshot import Snapshot, snapshot
from .transfer import bring_over
from .worktree_entries import Note, Registration, head_branch

_PUBLISHED = ("refs/heads/", "refs/tags/")


class _State(NamedTuple):
    """Where a run's repository is: HEAD (None: unborn or broken), its branch, and the refs that the run changed."""

    head: str | None
    branch: str | None
    changed: dict[str, str]


def give_back(common: Path, private: Path, entry: Registration | None, tree: Path | None, name: str) -> Saved:
    """Save all that the run `name` made; nothing is removed. May be called again after a crash.

    `entry` is its worktree in `private` (None: lost), `tree` its files (None: gone). Raises AutopackError when
    something could not be made safe: what the run left must stay then.
    """
    begun = began_with(private)
    admin = None if entry is None else entry.admin
    note = None if entry is None else entry.note
    if note is not None and note.branch is not None:
        # It was made for the run, or was there: where the run found it, in either case.
        begun[f"refs/heads/{note.branch}"] = note.sha
    state = _state(private, admin, begun)
    ours = private.with_name(private.name + ".save")
    shutil.rmtree(ours, ignore_errors=True)
    try:
        _make_ours(ours, common, private, admin, state.head)
        return _save(common, ours, Place(tree, private, admin, common / "objects"), name, state, begun, note)
    finally:
        shutil.rmtree(ours, ignore_errors=True)


def _state(private: Path, admin: Path | None, begun: Mapping[str, str]) -> _State:
    git_dir = private if admin is None else admin
    refs = {ref.name: ref.sha for ref in list_refs(git_dir) if not ref.target}
    branch = None if admin is None else head_branch(admin)
    head = refs.get(f"refs/heads/{branch}")
    if head is None and admin is not None:
        head = commit_of("HEAD", git_dir=admin)
        if head is None and not (admin / "HEAD").exists():
            raise AutopackError("WorktreeDamaged", "the worktree's own git dir has no HEAD any more")
    return _State(head, branch, {ref: sha for ref, sha in refs.items() if begun.get(ref) != sha})


def _make_ours(ours: Path, common: Path, private: Path, admin: Path | None, head: str | None) -> None:
    """Make a git dir of our own: the run's settings decide nothing, the user's do."""
    make_bare(ours, including(common / "config") + "[core]\n\tbare = true\n", head or "0" * 40)
    stores = [private / "objects", common / "objects"]
    (ours / "objects/info/alternates").write_bytes(b"".join(alternate(store) + b"\n" for store in stores))
    (ours / "info").mkdir()
    copies = [(common / "info/exclude", "info/exclude"), (common / "shallow", "shallow")]
    if admin is not None:
        copies.append((admin / "index", "index"))
    for source, target in copies:
        with contextlib.suppress(OSError):
            shutil.copy2(source, ours / target)


def _save(
    common: Path,
    ours: Path,
    place: Place,
    name: str,
    state: _State,
    begun: Mapping[str, str],
    note: Note | None,
) -> Saved:
    ref = run_ref(name)
    last_before = None if has_no_ref(common, ref) else resolve(ref, git_dir=common)
    if last_before is not None:
        # The same files on the same commit are the same snapshot: after a crash nothing is saved twice.
        run_git(["update-ref", ref, last_before], git_dir=ours)
    taken = Snapshot(None)
    if place.tree is not None:
        hit("workspace.before_snapshot")
        taken = snapshot(
            place.tree,
            git_dir=ours,
            index_file=ours / "snapshot-index",
            ref=None if last_before is None else ref,
            message=f"autopack: {name}",
        )
    base = set(begun.values()) | ({note.sha} if note else set())
    tips = [tip for tip in (taken.sha, state.head) if tip is not None]
    gathered = gather(ours, place, tips, base, name)
    has_commits = state.head in gathered.objects
    refs = {}
    if taken.sha is not None or has_commits:
        refs[ref] = taken.sha or str(state.head)
    further = None if gathered.keep is None else _kept_as(common, ours, name, gathered.keep)
    if gathered.keep is not None and further is None:
        further = next_history(common, name)
        refs[further] = gathered.keep
    hit("workspace.before_keep")
    if refs:
        if not gathered.objects and gathered.keep is None and state.head in base and layout_of(common) is not None:
            # The run made none, only we have, for a snapshot; and git makes no tree of what it does not find.
            ids = frozenset(loose_in(ours / "objects", len(state.head)))
        else:
            ids = _led_to(ours, refs.values(), base, gathered)
        bring_over(ours, common, ids, place.repo / "objects")
    hit("workspace.after_transfer")
    published = _point(common, refs, _to_publish(state.changed, note))
    only_here = has_commits and state.head not in published.values()
    return Saved(
        taken.sha,
        only_here,
        refs.get(ref),
        state.head,
        _branch_of(state, published, note),
        (*taken.unsaved, *gathered.unsaved),
        further,
    )


def _led_to(ours: Path, tips: Collection[str], base: Collection[str], gathered: Gathered) -> frozenset[str]:
    """Return the ids of what `tips` lead to and `base` does not, having seen that none is missing."""
    if gathered.keep in tips or gathered.reached is None:
        return reached(ours, tips, base)
    return gathered.reached


def _branch_of(state: _State, published: Mapping[str, str], note: Note | None) -> str | None:
    """Return the run's branch if the repository has it as the run left it."""
    if state.branch is None or state.head is None:
        return None
    ref = f"refs/heads/{state.branch}"
    if ref in state.changed:
        return state.branch if ref in published else None
    # A branch that was made for the run and has nothing on it goes with the worktree.
    is_empty = note is not None and note.own_branch and note.branch == state.branch
    return None if is_empty else state.branch


def _kept_as(common: Path, ours: Path, name: str, keep: str) -> str | None:
    """Return the ref of the run's history that has a commit of the same content already, from before a crash."""
    kept = history(common, name)
    if not kept:
        return None
    asked = "".join(f"{sha}^{{tree}}\n" for sha in [keep, *kept.values()]).encode()
    wanted, *others = run_git(["cat-file", "--batch-check=%(objectname)"], git_dir=ours, input=asked).text.splitlines()
    same = [number for number, tree in zip(kept, others, strict=True) if tree == wanted]
    parents = _parents(ours, keep) if same else ""
    return next((history_ref(name, number) for number in same if _parents(ours, kept[number]) == parents), None)


def _parents(ours: Path, sha: str) -> str:
    return run_git(["rev-list", "--no-walk", "--parents", sha], git_dir=ours).text.partition(" ")[2]


def _to_publish(changed: Mapping[str, str], note: Note | None) -> dict[str, tuple[str, str]]:
    """Return the branches and tags to make or move: what each becomes, and what it must be now (zeros: missing).

    The branch that the run was given goes on from where it began. No other one of the user's is touched.
    """
    given = None if note is None or note.branch is None else f"refs/heads/{note.branch}"
    return {
        ref: (sha, note.sha if note is not None and ref == given else "0" * len(sha))
        for ref, sha in changed.items()
        if ref.startswith(_PUBLISHED)
    }


def _point(common: Path, refs: Mapping[str, str], wanted: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Point the run's own refs, and branches and tags as far as their names are free; return what is so now.

    A name that somebody else took meanwhile stays theirs: the commits are in the run's own refs in any case.
    """
    own = [f"update {ref} {sha}\n" for ref, sha in refs.items()]
    others = {ref: f"update {ref} {sha} {before}\n" for ref, (sha, before) in wanted.items()}
    command = ["update-ref", "-m", "autopack: run", "--stdin"]
    text = "".join([*own, *others.values()]).encode()
    if not text or run_git(command, git_dir=common, input=text, check=False).returncode == 0:
        return {ref: sha for ref, (sha, _) in wanted.items()}
    run_git(command, git_dir=common, input="".join(own).encode())
    for line in others.values():
        run_git(command, git_dir=common, input=line.encode(), check=False)
    return {ref: sha for ref, (sha, _) in wanted.items() if resolve(ref, git_dir=common) == sha}
