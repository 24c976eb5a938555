"""A snapshot holds the dirty tree and disturbs nobody."""

import os
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head, make_repo

from autopack.git.runner import run_git
from autopack.git.snapshot import Snapshot, snapshot

REF = "refs/autopack/run"


def take(tree: Path, index: Path | None = None, message: str = "snapshot") -> Snapshot:
    return snapshot(tree, git_dir=None, index_file=index or tree.parent / "own.index", ref=REF, message=message)


def save(tree: Path, index: Path | None = None, message: str = "snapshot") -> str | None:
    taken = take(tree, index, message)
    assert taken.unsaved == ()
    return taken.sha


def files_of(tree: Path, sha: str) -> dict[str, str]:
    names = git(tree, "ls-tree", "-r", "--name-only", "-z", sha).split("\0")
    return {name: git(tree, "show", f"{sha}:{name}") for name in names if name}


def test_a_clean_tree_gives_nothing(repo: Path) -> None:
    assert save(repo) is None
    assert not git(repo, "for-each-ref", REF)


def test_changed_new_and_deleted_files_are_saved_on_top_of_head(repo: Path) -> None:
    (repo / "src/a.py").write_text("a = 2\n", "utf-8")
    (repo / "new file ü\n.txt").write_text("new\n", "utf-8")
    (repo / "README.md").unlink()
    sha = save(repo)
    assert sha is not None
    assert files_of(repo, sha) == {".gitignore": "*.log\n.env", "src/a.py": "a = 2", "new file ü\n.txt": "new"}
    assert git(repo, "rev-parse", f"{sha}^", REF).split() == [head(repo), sha]


def test_the_runs_own_index_and_branch_are_untouched(repo: Path) -> None:
    (repo / "README.md").write_text("changed\n", "utf-8")
    index, before = (repo / ".git/index").read_bytes(), head(repo)
    save(repo)
    assert (repo / ".git/index").read_bytes() == index
    assert head(repo) == before


def test_the_same_tree_is_not_committed_twice(repo: Path) -> None:
    (repo / "README.md").write_text("changed\n", "utf-8")
    # Two commits of one second would have one id anyway, were it not for their messages.
    assert save(repo) == save(repo, message="again")


def test_a_new_parent_makes_a_new_commit(repo: Path) -> None:
    (repo / "README.md").write_text("changed\n", "utf-8")
    first = save(repo)
    git(repo, "commit", "-q", "--allow-empty", "-m", "x")
    second = save(repo)
    assert second not in (None, first)


def test_ignored_files_are_left_out_but_tracked_ones_kept(repo: Path) -> None:
    (repo / "build.log").write_text("noise\n", "utf-8")
    (repo / ".env").write_text("kept\n", "utf-8")
    git(repo, "add", "-f", ".env")
    sha = save(repo)
    assert sha is not None
    assert files_of(repo, sha)[".env"] == "kept"
    assert "build.log" not in files_of(repo, sha)


def test_an_ignored_file_tracked_between_two_snapshots_is_kept(repo: Path) -> None:
    (repo / "README.md").write_text("changed\n", "utf-8")
    save(repo)
    (repo / ".env").write_text("kept\n", "utf-8")
    git(repo, "add", "-f", ".env")
    sha = save(repo)
    assert sha is not None
    assert files_of(repo, sha)[".env"] == "kept"


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_flags_in_the_runs_index_hide_nothing(repo: Path, flag: str) -> None:
    git(repo, "update-index", flag, "README.md")
    (repo / "README.md").write_text("hidden\n", "utf-8")
    sha = save(repo)
    assert sha is not None
    assert files_of(repo, sha)["README.md"] == "hidden"


@pytest.mark.parametrize("damage", [b"", b"not an index"])
def test_a_damaged_index_of_our_own_is_made_anew(repo: Path, damage: bytes) -> None:
    own = repo.parent / "own.index"
    own.write_bytes(damage)
    own.with_name("own.index.lock").touch()
    (repo / "README.md").write_text("changed\n", "utf-8")
    assert save(repo, own) is not None


def test_a_stale_lock_of_the_runs_index_does_not_matter(repo: Path) -> None:
    (repo / ".git/index.lock").touch()
    (repo / "README.md").write_text("changed\n", "utf-8")
    assert save(repo) is not None


@pytest.mark.parametrize("commits", [0, 1])
def test_files_of_a_repository_inside_the_tree_are_saved(repo: Path, commits: int) -> None:
    inner = repo / "vendor/inner"
    inner.mkdir(parents=True)
    git(inner, "init", "-q")
    if commits:
        commit(inner, {"x.txt": "committed\n"})
    (inner / "y.txt").write_text("dirty\n", "utf-8")
    (repo / "vendor/plain.txt").write_text("plain\n", "utf-8")
    sha = save(repo)
    assert sha is not None
    saved = files_of(repo, sha)
    assert saved["vendor/inner/y.txt"] == "dirty"
    assert saved["vendor/plain.txt"] == "plain"
    assert (saved.get("vendor/inner/x.txt") == "committed") == bool(commits)
    assert save(repo) == sha


def test_changes_in_a_submodule_are_saved(repo: Path) -> None:
    library = make_repo(repo.parent / "library")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    git(repo, "commit", "-q", "-m", "submodule")
    assert save(repo) is None
    (repo / "lib/src/a.py").write_text("a = 3\n", "utf-8")
    sha = save(repo)
    assert sha is not None
    assert files_of(repo, sha)["lib/src/a.py"] == "a = 3"


def test_an_unborn_branch_is_saved_without_parent(tmp_path: Path) -> None:
    tree = tmp_path / "new"
    tree.mkdir()
    git(tree, "init", "-q")
    assert save(tree) is None
    (tree / "a").write_text("a\n", "utf-8")
    sha = save(tree)
    assert sha is not None
    assert git(tree, "rev-list", "--parents", sha) == sha


def test_what_cannot_be_read_is_said_after_saving_the_rest(repo: Path) -> None:
    (repo / "good").write_text("good\n", "utf-8")
    # A folder that git cannot enter as a file: root reads everything, so permissions cannot make one.
    (repo / "bad").mkdir()
    (repo / "bad/.git").write_text("gitdir: /nonexistent\n", "utf-8")
    (repo / "bad/file").write_text("bad\n", "utf-8")
    sha = take(repo).sha
    assert sha is not None
    assert files_of(repo, sha)["good"] == "good"


def test_a_file_that_its_attributes_forbid_is_saved_byte_for_byte_and_costs_nothing_else(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.rc working-tree-encoding=UTF-16\n", "utf-8")
    (repo / "a.rc").write_bytes(b"odd")
    (repo / "b.py").write_text("b\n", "utf-8")
    (repo / "z.rc").write_bytes(b"\x00\xd8x")
    sha = save(repo)
    assert sha is not None
    saved = files_of(repo, sha)
    assert (saved["b.py"], saved["a.rc"]) == ("b", "odd")
    assert git(repo, "cat-file", "-s", f"{sha}:z.rc") == "3"


def test_a_file_too_large_to_keep_is_named_and_the_others_are_saved(repo: Path) -> None:
    with (repo / "huge").open("wb") as file:
        file.truncate(1 << 40)
    (repo / "small").write_text("small\n", "utf-8")
    taken = take(repo)
    assert taken.sha is not None
    assert files_of(repo, taken.sha).keys() == {".gitignore", "README.md", "src/a.py", "small"}
    assert [(one["path"], one["bytes"]) for one in taken.unsaved] == [("huge", 1 << 40)]


def test_line_ends_that_an_attribute_came_to_change_are_no_change(repo: Path) -> None:
    git(repo, "config", "core.autocrlf", "false")
    (repo / "dos.txt").write_bytes(b"a\r\nb\r\n")
    commit(repo, {"x": "x"})
    commit(repo, {".gitattributes": "*.txt text eol=lf\n"})
    (repo / "dos.txt").touch()
    assert save(repo) is None
    (repo / "y").write_text("y\n", "utf-8")
    sha = save(repo)
    assert sha is not None
    assert git(repo, "diff", "--name-only", f"{sha}^", sha) == "y"


def test_what_a_sparse_checkout_leaves_out_is_not_deleted(repo: Path) -> None:
    commit(repo, {"docs/d.md": "d\n"})
    (repo / "src/b.py").write_text("b\n", "utf-8")
    save(repo)
    git(repo, "sparse-checkout", "set", "src")
    assert not (repo / "docs").exists()
    sha = save(repo)
    assert sha is not None
    assert git(repo, "diff", "--name-status", f"{sha}^", sha) == "A\tsrc/b.py"


def test_names_that_are_no_text_are_saved(repo: Path) -> None:
    for name in (b"tab\there", b"new\nline", b"not-\xff-utf8", b"-dash", b":(top)x", b"star*"):
        (repo / os.fsdecode(name)).write_bytes(name)
    sha = save(repo)
    assert sha is not None
    listed = run_git(["ls-tree", "-r", "-z", "--name-only", sha], cwd=repo).stdout.split(b"\0")
    assert {b"tab\there", b"new\nline", b"not-\xff-utf8", b"-dash", b":(top)x", b"star*"} <= set(listed)


def test_a_conflict_is_saved_as_it_lies_on_disk(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    commit(repo, {"README.md": "theirs\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"README.md": "ours\n"})
    git(repo, "merge", "-q", "other", check=False)
    sha = save(repo)
    assert sha is not None
    assert "<<<<<<<" in files_of(repo, sha)["README.md"]
