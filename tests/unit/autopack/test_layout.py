"""Which config files tell of a repository laid out the usual way."""

from __future__ import annotations

import pytest

from autopack.git.layout import Layout, parse_layout

CORE = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"


def test_what_git_init_writes_is_usual() -> None:
    assert parse_layout(CORE) == Layout(bare=False, tree_elsewhere=False)
    assert parse_layout(CORE.replace("false", "true")) == Layout(bare=True, tree_elsewhere=False)


@pytest.mark.parametrize(
    "more",
    [
        '[remote "origin"]\n\turl = https://h/o/r.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n',
        '[branch "extensions"]\n\tmerge = refs/heads/main\n',
        "# [extensions]\n; [extensions]\n\n[user]\n\tname = A # B\n",
        '[core "extensions"]\n\tbare = true\n',
        "[gc]\n\tauto = 0\n\tbare = true\n[core]\n\tlogAllRefUpdates = true\n",
    ],
)
def test_other_settings_change_nothing(more: str) -> None:
    assert parse_layout(CORE + more) == Layout(bare=False, tree_elsewhere=False)


def test_a_main_worktree_may_be_elsewhere() -> None:
    assert parse_layout(f"{CORE}\tworktree = /there\n") == Layout(bare=False, tree_elsewhere=True)


def test_the_last_word_counts() -> None:
    assert parse_layout(f"{CORE}[CORE]\n\tBARE = TRUE\n") == Layout(bare=True, tree_elsewhere=False)


@pytest.mark.parametrize(
    "config",
    [
        "",
        "[core]\n\trepositoryformatversion = 0\n",
        "[core]\n\tbare = false\n",
        CORE.replace("version = 0", "version = 2"),
        CORE.replace("bare = false", "bare"),
        CORE.replace("bare = false", 'bare = "false"'),
        CORE + "\tsharedRepository = group\n",
        CORE + "[extensions]\n\tworktreeConfig = true\n",
        CORE + "[ EXTENSIONS ]\n\tobjectformat = sha256\n",
        CORE + '[extensions "x"]\n\trefstorage = reftable\n',
        CORE + "[extensions.x]\n\trefstorage = reftable\n",
        CORE + "[extensions] relativeWorktrees = true\n",
        CORE + '[alias]\n\tx = "a \\\n[core] b"\n',
        CORE + '[remote "a\\"b"]\n\turl = x\n',
    ],
)
def test_what_is_unusual_or_hard_to_read_is_left_to_git(config: str) -> None:
    assert parse_layout(config) is None
