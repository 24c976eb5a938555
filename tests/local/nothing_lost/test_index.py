"""What a worktree leaves out or hides is neither lost nor taken for deleted, and no change is made up."""

from __future__ import annotations

from tests.local.nothing_lost.agents import Agents
from tests.local.workspaces.repos import commit, git

RUN = "refs/autopack/run-1"


def changed(agents: Agents) -> list[str]:
    """Return what the run's ref changes, as `git diff` names it."""
    return git(agents.repo, "diff-tree", "-r", "--name-status", "--no-renames", "main", RUN).splitlines()


def test_a_sparse_checkout_deletes_nothing(agents: Agents) -> None:
    commit(agents.repo, {"docs/guide.md": "words\n"})
    agents.work("git sparse-checkout set src 2>&1; test ! -e docs; echo new >src/b.py")
    assert changed(agents) == ["A\tsrc/b.py"]


def test_a_sparse_checkout_and_a_commit_delete_nothing(agents: Agents) -> None:
    commit(agents.repo, {"docs/guide.md": "words\n"})
    script = "git sparse-checkout set src 2>&1; echo b >src/b.py; git add -A; git commit -qm b; echo c >src/c.py"
    agents.work(script)
    assert changed(agents) == ["A\tsrc/b.py", "A\tsrc/c.py"]


def test_a_file_outside_a_sparse_checkout_is_saved(agents: Agents) -> None:
    commit(agents.repo, {"docs/guide.md": "words\n"})
    agents.work("git sparse-checkout set src 2>&1; mkdir docs; echo other >docs/guide.md; echo more >docs/more.md")
    assert changed(agents) == ["M\tdocs/guide.md", "A\tdocs/more.md"]


def test_a_file_where_a_sparse_checkout_left_out_a_folder_is_saved(agents: Agents) -> None:
    commit(agents.repo, {"docs/guide.md": "words\n"})
    agents.work("git sparse-checkout set src 2>&1; echo other >docs")
    assert changed(agents) == ["A\tdocs", "D\tdocs/guide.md"]


def test_changes_that_flags_hide_are_saved(agents: Agents) -> None:
    hide = "git update-index --assume-unchanged README.md; git update-index --skip-worktree src/a.py"
    agents.work(f"{hide}; echo one >README.md; echo two >src/a.py")
    assert agents.lost("one\n", "two\n") == []
    assert changed(agents) == ["M\tREADME.md", "M\tsrc/a.py"]


def test_line_ends_that_a_later_attribute_would_change_are_no_change(agents: Agents) -> None:
    (agents.repo / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    commit(agents.repo, {})
    (agents.repo / ".gitattributes").write_text("*.txt text eol=lf\n")
    git(agents.repo, "add", ".gitattributes")
    git(agents.repo, "commit", "-q", "-m", "ends of lines")
    result = agents.work("touch dos.txt")
    assert result.snapshot is None
    shown = agents.autopack("diff", "run-1")
    assert "dos.txt" not in shown.stdout
    assert git(agents.repo, "for-each-ref", "refs/autopack") == ""
