"""Which branch a worktree gets when the wanted one is taken."""

import pytest

from autopack.errors import WorkspaceError
from autopack.git.branches import choose_name


def choose(
    wanted: str, branches: dict[str, str], in_use: set[str] | None = None, merged: set[str] | None = None
) -> str:
    return choose_name(wanted, "tip", branches, in_use or set(), (merged or set()).__contains__)


@pytest.mark.parametrize(
    ("wanted", "branches", "in_use", "merged", "chosen"),
    [
        ("x", {}, set(), set(), "x"),
        ("x", {"x": "tip"}, set(), set(), "x-2"),
        ("x", {"x": "a", "x-2": "b"}, set(), {"a", "b"}, "x-3"),
        ("autopack/x", {"autopack/x": "tip"}, set(), set(), "autopack/x"),
        ("autopack/x", {"autopack/x": "old"}, set(), {"old"}, "autopack/x"),
        ("autopack/x", {"autopack/x": "work"}, set(), set(), "autopack/x-2"),
        ("autopack/x", {"autopack/x": "tip"}, {"autopack/x"}, set(), "autopack/x-2"),
        ("autopack/x", {"autopack": "a"}, set(), set(), "autopack-x"),
        ("autopack/x", {"autopack/x/y": "a"}, set(), set(), "autopack/x-2"),
    ],
    ids=["free", "a person's", "numbers", "empty", "merged", "has work", "in use", "blocked above", "blocked below"],
)
def test_choose_name(wanted: str, branches: dict[str, str], in_use: set[str], merged: set[str], chosen: str) -> None:
    assert choose(wanted, branches, in_use, merged) == chosen


def test_when_all_names_are_taken_it_is_said() -> None:
    branches = {"x": "a"} | {f"x-{number}": "a" for number in range(2, 1000)}
    with pytest.raises(WorkspaceError, match="all taken"):
        choose("x", branches)
