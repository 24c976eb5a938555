"""Repositories made without git are what git makes."""

from __future__ import annotations

from pathlib import Path

from tests.local.workspaces.repos import git

from autopack.git.bare import make_bare
from autopack.git.layout import layout_of


def test_it_is_what_git_init_makes(tmp_path: Path) -> None:
    wanted = ["init", "--quiet", "--bare", "--template=", "--initial-branch=autopack-none", "--object-format=sha1"]
    git(tmp_path, *wanted, "git.git")
    make_bare(tmp_path / "ours.git", "")
    theirs, ours = (
        {str(path.relative_to(tmp_path / name)): path.stat().st_mode for path in (tmp_path / name).rglob("*")}
        for name in ("git.git", "ours.git")
    )
    # Git of some versions leaves these to whoever needs them.
    optional = {"branches", "objects/info", "objects/pack", "refs/tags"}
    assert {name: mode for name, mode in ours.items() if name not in optional} == {
        name: mode for name, mode in theirs.items() if name not in optional
    }
    for name in ("HEAD", "config"):
        assert (tmp_path / "ours.git" / name).read_text() == (tmp_path / "git.git" / name).read_text()


def test_git_takes_it_and_its_settings(tmp_path: Path) -> None:
    made = tmp_path / "deep/ours.git"
    make_bare(made, "[core]\n\tcompression = 1\n[user]\n\tname = Somebody else\n", head="1" * 40)
    assert git(made, "config", "core.compression") == "1"
    assert git(made, "config", "user.name") == "Somebody else"
    assert (made / "HEAD").read_text() == "1" * 40 + "\n"
    layout = layout_of(made)
    assert layout is not None
    assert layout.bare
