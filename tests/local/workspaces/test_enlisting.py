"""Worktrees that we enter into git's list ourselves are what `git worktree add` would have made."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head, make_repo, started, trace_git

from autopack.git import worktree
from autopack.git.runner import GitError
from autopack.git.worktree import add_worktree, remove_worktree
from autopack.git.worktree_entries import PLAN, READY, common_dir, registrations, repository_lock, state_dir
from autopack.workspace_manager import WorkspaceManager

Log = Callable[[], list[str]]


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Tells which git processes were started since it was last asked."""
    log = trace_git(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return lambda: started(log)


def files(folder: Path) -> dict[str, str]:
    """Return the files below a folder with what they say, but for the index and what is ours."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: "" if name == "index" else path.read_text("utf-8") for name, path in found.items() if name != READY}


def events(log: str) -> list[str]:
    """Return the lines of a reflog without who and when."""
    return [f"{line[:81]} {line.partition(chr(9))[2]}" for line in log.splitlines()]


class TestTheSameAsGit:
    @pytest.mark.parametrize("branch", [None, "topic/one"])
    def test_the_private_git_dir(self, repo: Path, tmp_path: Path, processes: Log, branch: str | None) -> None:
        theirs, ours = make_repo(tmp_path / "theirs"), repo
        assert head(theirs) == head(ours)
        which = ["--detach"] if branch is None else ["--no-track", "-B", branch]
        git(theirs, "worktree", "add", "-q", *which, str(tmp_path / "a/tree"), head(theirs))
        processes()
        add_worktree(ours, tmp_path / "b/tree", head(ours), branch)
        assert "worktree" not in processes()
        expected, got = files(theirs / ".git/worktrees/tree"), files(ours / ".git/worktrees/tree")
        expected["gitdir"] = expected["gitdir"].replace(str(tmp_path / "a"), str(tmp_path / "b"))
        # Git's log of HEAD has a line more: that it came to be.
        assert events(got.pop("logs/HEAD", "")) == events(expected.pop("logs/HEAD"))[1:]
        assert got == expected
        pointer = (tmp_path / "a/tree/.git").read_text("utf-8")
        assert (tmp_path / "b/tree/.git").read_text("utf-8") == pointer.replace(str(theirs), str(ours))
        if branch is not None:
            log = f".git/logs/refs/heads/{branch}"
            assert events((ours / log).read_text("utf-8")) == events((theirs / log).read_text("utf-8"))

    @pytest.mark.parametrize("branch", [None, "topic/one"])
    def test_the_list_and_the_checks_of_git(self, repo: Path, tmp_path: Path, branch: str | None) -> None:
        path = tmp_path / "w/tree"
        add_worktree(repo, path, head(repo), branch)
        state = "detached" if branch is None else f"branch refs/heads/{branch}"
        block = git(repo, "worktree", "list", "--porcelain").strip().split("\n\n")[1]
        assert block.splitlines() == [f"worktree {path}", f"HEAD {head(repo)}", state]
        assert git(path, "status", "--porcelain=v2", "--branch").splitlines()[:2] == [
            f"# branch.oid {head(repo)}",
            f"# branch.head {branch or '(detached)'}",
        ]
        assert git(path, "fsck", "--strict", "--no-dangling") == ""
        assert git(path, "rev-parse", "--git-common-dir") == str(common_dir(repo))

    def test_a_person_may_move_lock_prune_and_remove_it(self, repo: Path, tmp_path: Path) -> None:
        add_worktree(repo, tmp_path / "w/tree", head(repo), "b")
        git(repo, "worktree", "prune", "--expire=now")
        git(repo, "worktree", "move", str(tmp_path / "w/tree"), str(tmp_path / "w/moved"))
        assert git(tmp_path / "w/moved", "status", "--porcelain") == ""
        git(repo, "worktree", "lock", str(tmp_path / "w/moved"))
        git(repo, "worktree", "unlock", str(tmp_path / "w/moved"))
        git(repo, "worktree", "repair", str(tmp_path / "w/moved"))
        git(repo, "worktree", "remove", str(tmp_path / "w/moved"))
        assert not (repo / ".git/worktrees").exists()
        git(repo, "branch", "-D", "b")

    def test_one_whose_folder_is_gone_is_pruned(self, repo: Path, tmp_path: Path) -> None:
        add_worktree(repo, tmp_path / "w/tree", head(repo))
        (tmp_path / "w/tree").rename(tmp_path / "elsewhere")
        git(repo, "worktree", "prune", "--expire=now")
        assert not list(registrations(common_dir(repo)))

    def test_work_is_committed_there(self, repo: Path, tmp_path: Path) -> None:
        add_worktree(repo, tmp_path / "w/tree", head(repo), "b")
        sha = commit(tmp_path / "w/tree", {"new": "new"})
        assert git(repo, "rev-parse", "b") == sha

    def test_a_detached_head_can_be_gone_back_to(self, repo: Path, tmp_path: Path) -> None:
        add_worktree(repo, tmp_path / "w/tree", head(repo))
        commit(tmp_path / "w/tree", {"new": "new"})
        assert git(tmp_path / "w/tree", "rev-parse", "HEAD@{1}") == head(repo)

    def test_a_name_that_is_taken_gets_a_number(self, repo: Path, tmp_path: Path) -> None:
        git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "x/tree"))
        for folder in ("a", "b"):
            add_worktree(repo, tmp_path / folder / "tree", head(repo))
        names = {entry.admin.name: entry.tree.parent.name for entry in registrations(common_dir(repo))}
        assert names == {"tree": "x", "tree1": "a", "tree2": "b"}

    def test_a_branch_elsewhere_is_moved(self, repo: Path, tmp_path: Path) -> None:
        git(repo, "branch", "b")
        git(repo, "pack-refs", "--all")
        sha = commit(repo, {"x": "x"})
        add_worktree(repo, tmp_path / "w/tree", sha, "b")
        assert head(tmp_path / "w/tree") == git(repo, "rev-parse", "b") == sha

    def test_line_ends_and_filters_are_those_of_the_repository(self, repo: Path, tmp_path: Path) -> None:
        commit(repo, {".gitattributes": "*.txt eol=crlf\n*.up filter=up\n", "a.txt": "a\n", "b.up": "b\n"})
        git(repo, "config", "filter.up.smudge", "tr a-z A-Z")
        add_worktree(repo, tmp_path / "w/tree", head(repo))
        assert (tmp_path / "w/tree/a.txt").read_bytes() == b"a\r\n"
        assert (tmp_path / "w/tree/b.up").read_bytes() == b"B\n"


class TestLeftToGit:
    def make(self, repo: Path, path: Path, processes: Log, branch: str | None = "b") -> None:
        processes()
        add_worktree(repo, path, head(repo), branch)
        assert processes().count("worktree") == 1
        assert git(path, "status", "--porcelain") == ""

    @pytest.mark.parametrize("setting", ["extensions.worktreeConfig=true", "core.sharedRepository=group"])
    def test_an_unusual_repository(self, repo: Path, tmp_path: Path, processes: Log, setting: str) -> None:
        git(repo, "config", *setting.split("="))
        self.make(repo, tmp_path / "w/tree", processes)

    def test_one_with_other_ids(self, tmp_path: Path, processes: Log) -> None:
        (tmp_path / "other").mkdir()
        git(tmp_path / "other", "init", "-q", "-b", "main", "--object-format=sha256")
        commit(tmp_path / "other", {"a": "a"})
        self.make(tmp_path / "other", tmp_path / "w/tree", processes)

    def test_one_with_a_choice_of_files(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        git(repo, "config", "core.sparseCheckout", "true")
        (repo / ".git/info").mkdir(exist_ok=True)
        (repo / ".git/info/sparse-checkout").write_text("/*\n!/src/\n", "utf-8")
        self.make(repo, tmp_path / "w/tree", processes)
        assert (tmp_path / "w/tree/README.md").exists()
        assert not (tmp_path / "w/tree/src").exists()

    @pytest.mark.parametrize("name", ["a b", "x.lock", "ä", "a..b", ".hidden"])
    def test_a_name_that_git_would_change(self, repo: Path, tmp_path: Path, processes: Log, name: str) -> None:
        self.make(repo, tmp_path / "w" / name, processes)

    def test_a_branch_that_is_another_ones_name(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        git(repo, "symbolic-ref", "refs/heads/b", "refs/heads/other")
        git(repo, "branch", "other")
        self.make(repo, tmp_path / "w/tree", processes)

    @pytest.mark.parametrize("elsewhere", [True, False])
    def test_a_branch_in_use_is_refused(self, repo: Path, tmp_path: Path, elsewhere: bool) -> None:
        if elsewhere:
            add_worktree(repo, tmp_path / "w/one", head(repo), "b")
        with pytest.raises(GitError, match="already checked out"):
            add_worktree(repo, tmp_path / "w/two", head(repo), "b" if elsewhere else "main")
        assert git(repo, "worktree", "list").count("\n") == elsewhere

    def test_a_branch_that_is_being_rebased_is_refused(self, repo: Path, tmp_path: Path) -> None:
        add_worktree(repo, tmp_path / "w/one", head(repo), "b")
        commit(tmp_path / "w/one", {"x": "x"})
        git(tmp_path / "w/one", "-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "HEAD^")
        assert git(tmp_path / "w/one", "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
        with pytest.raises(GitError, match="already checked out"):
            add_worktree(repo, tmp_path / "w/two", head(repo), "b")

    @pytest.mark.parametrize("branch", ["HEAD", "-x", "a..b", "x.lock"])
    def test_a_bad_branch_is_refused(self, repo: Path, tmp_path: Path, branch: str) -> None:
        with pytest.raises(GitError):
            add_worktree(repo, tmp_path / "w/tree", head(repo), branch)
        assert not (repo / ".git/worktrees").exists() or not list((repo / ".git/worktrees").iterdir())

    @pytest.mark.parametrize("sha", ["0" * 40, "1" * 40, "HEAD^{tree}"])
    @pytest.mark.parametrize("branch", [None, "b"])
    def test_what_is_no_commit_is_refused_and_takes_no_branch_away(
        self, repo: Path, tmp_path: Path, sha: str, branch: str | None
    ) -> None:
        git(repo, "branch", "b")
        wrong = git(repo, "rev-parse", sha)
        with pytest.raises(GitError):
            add_worktree(repo, tmp_path / "w/tree", wrong, branch)
        assert git(repo, "rev-parse", "b") == head(repo)
        assert git(repo, "worktree", "list").count("\n") == 0

    def test_the_main_branch_of_a_bare_repository_is_free(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
        processes()
        add_worktree(tmp_path / "bare.git", tmp_path / "w/tree", head(repo), "main")
        assert "worktree" not in processes()
        assert git(tmp_path / "w/tree", "symbolic-ref", "HEAD") == "refs/heads/main"


class TestInBetween:
    def test_whoever_lists_worktrees_never_meets_half_an_entry(self, repo: Path, tmp_path: Path) -> None:
        going, failed = True, []

        def watch() -> int:
            count = 0
            while going or count < 20:
                listed = subprocess.run(["git", "worktree", "list"], cwd=repo, capture_output=True, check=False)
                if listed.returncode != 0:
                    failed.append(listed.stderr)
                count += 1
            return count

        with ThreadPoolExecutor(9) as pool:
            watching = pool.submit(watch)
            made = pool.map(lambda n: add_worktree(repo, tmp_path / f"w/t{n}", head(repo), f"b{n}"), range(40))
            assert len(list(made)) == 40
            going = False
            assert watching.result() >= 20
        assert not failed
        assert git(repo, "worktree", "list").count("\n") == 40
        git(repo, "fsck", "--strict")

    @pytest.mark.parametrize("step", ["worktree.after_claim", "worktree.after_enlisted"])
    def test_a_prune_in_between_takes_nothing(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        def prune(name: str) -> None:
            if name == step:
                git(repo, "worktree", "prune", "--expire=now")

        monkeypatch.setattr("autopack.git.enlisting.hit", prune)
        add_worktree(repo, tmp_path / "w/tree", head(repo), "b")
        assert git(tmp_path / "w/tree", "status", "--porcelain") == ""

    def test_a_name_that_git_claims_meanwhile_is_left_to_it(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def add(name: str) -> None:
            if name == "worktree.after_claim":
                git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "x/tree"))

        monkeypatch.setattr("autopack.git.enlisting.hit", add)
        add_worktree(repo, tmp_path / "w/tree", head(repo))
        names = {entry.admin.name: entry.tree.parent.name for entry in registrations(common_dir(repo))}
        assert names == {"tree": "w", "tree1": "x"}

    @pytest.mark.parametrize(
        "step", ["worktree.after_branch", "worktree.after_written", "worktree.after_claim", "worktree.after_enlisted"]
    )
    def test_a_failure_in_between_leaves_nothing(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        monkeypatch.setenv("AUTOPACK_FAILPOINT", f"{step}:raise")
        with pytest.raises(RuntimeError, match=step):
            add_worktree(repo, tmp_path / "w/tree", head(repo), "b", own_branch=True)
        assert not list((repo / ".git").glob("worktrees/*"))
        assert [path.name for path in state_dir(common_dir(repo)).iterdir()] == ["worktrees.lock"]
        assert git(repo, "branch", "--list", "b") == ""
        monkeypatch.delenv("AUTOPACK_FAILPOINT")
        add_worktree(repo, tmp_path / "w/tree", head(repo), "b", own_branch=True)


class TestProcesses:
    def test_a_worktree_on_a_branch_takes_three(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        WorkspaceManager("one", repo, tmp_path / "w").create_worktree("autopack/one", start_point="main")
        assert processes() == ["ls-tree", "update-ref", "reset"]

    def test_the_next_one_at_the_same_commit_takes_two(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        for name in ("one", "two"):
            processes()
            WorkspaceManager(name, repo, tmp_path / "w").create_worktree(f"autopack/{name}", start_point="main")
        assert processes() == ["update-ref", "reset"]

    def test_a_detached_one_takes_two(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        WorkspaceManager("one", repo, tmp_path / "w").create_worktree()
        assert processes() == ["ls-tree", "reset"]

    def test_git_is_asked_for_many_refs(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        for number in range(20):
            git(repo, "branch", f"b{number}")
        processes()
        WorkspaceManager("one", repo, tmp_path / "w").create_worktree()
        assert processes() == ["for-each-ref", "ls-tree", "reset"]

    @pytest.mark.parametrize(
        ("work", "expected"),
        [
            ("clean", ["ls-files", "diff-index", "update-ref"]),
            (
                "dirty",
                ["ls-files", "update-index", "diff-index", "write-tree", "commit-tree", "update-ref", "update-ref"],
            ),
            ("commit", ["ls-files", "diff-index", "rev-list", "update-ref"]),
        ],
    )
    def test_the_end_of_one(self, repo: Path, tmp_path: Path, processes: Log, work: str, expected: list[str]) -> None:
        manager = WorkspaceManager("one", repo, tmp_path / "w")
        tree = manager.create_worktree("autopack/one", start_point="main")
        if work == "dirty":
            (tree / "new").write_text("new")
        if work == "commit":
            commit(tree, {"new": "new"})
        processes()
        assert manager.remove_worktree(force=True)
        assert processes() == expected

    def test_a_branch_that_is_there_is_not_made(self, repo: Path, tmp_path: Path, processes: Log) -> None:
        git(repo, "branch", "b")
        sha = head(repo)
        processes()
        add_worktree(repo, tmp_path / "w/tree", sha, "b")
        assert processes() == ["reset"]


class TestHelpers:
    @pytest.fixture
    def large(self, repo: Path) -> Path:
        commit(repo, {f"dir{number % 7}/file{number}": f"{number}\n" for number in range(200)})
        return repo

    @pytest.mark.parametrize(("idle", "helpers"), [(1, 0), (2, 2), (3, 3), (16, 4)])
    @pytest.mark.parametrize("in_place", [True, False])
    def test_as_many_as_cores_stand_idle(
        self,
        large: Path,
        tmp_path: Path,
        processes: Log,
        monkeypatch: pytest.MonkeyPatch,
        idle: int,
        helpers: int,
        in_place: bool,
    ) -> None:
        monkeypatch.setattr(worktree, "idle_cores", lambda: idle)
        path = tmp_path / "w/tree"
        if in_place:
            path.mkdir(parents=True)
        add_worktree(large, path, head(large), in_place=in_place)
        assert processes().count("checkout--worker") == helpers

    def test_none_beside_another_tree_in_the_making(
        self, large: Path, tmp_path: Path, processes: Log, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worktree, "idle_cores", lambda: 4)
        (tmp_path / "w/.tmp-other-0123456789ab").mkdir(parents=True)
        add_worktree(large, tmp_path / "w/tree", head(large))
        assert "checkout--worker" not in processes()


def test_removal_and_making_again_leave_one_entry(repo: Path, tmp_path: Path) -> None:
    for _ in range(2):
        add_worktree(repo, tmp_path / "w/tree", head(repo), "b")
        remove_worktree(repo, tmp_path / "w/tree")
    add_worktree(repo, tmp_path / "w/tree", head(repo), "b")
    entries = list(registrations(common_dir(repo)))
    assert [entry.admin.name for entry in entries] == ["tree"]
    assert not (entries[0].admin / PLAN).exists()


def test_the_repositorys_lock_is_held_meanwhile(repo: Path, tmp_path: Path) -> None:
    with repository_lock(common_dir(repo)), pytest.raises(Exception, match="has been busy"):
        add_worktree(repo, tmp_path / "w/tree", head(repo), lock_timeout=0.1)
