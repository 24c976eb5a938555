"""Which branch a worktree gets when the wanted one is taken."""

import pytest

from autopack.errors import WorkspaceError
from autopack.git.branches import choose_name


def choose(wanted: str, branches: set[str], in_use: set[str] | None = None) -> str:
    return choose_name(wanted, branches, in_use or set(), "autopack/x")


@pytest.mark.parametrize(
    ("wanted", "branches", "in_use", "chosen"),
    [
        ("x", set(), set(), "x"),
        ("x", {"x"}, set(), "x-2"),
        ("x", {"x", "x-2"}, set(), "x-3"),
        ("autopack/x", {"autopack/x"}, set(), "autopack/x"),
        ("autopack/x", {"autopack/x"}, {"autopack/x"}, "autopack/x@2"),
        ("autopack/y", {"autopack/y"}, set(), "autopack/y-2"),
        ("autopack/x", {"autopack"}, set(), "autopack-x"),
        ("autopack/x", {"autopack/x/y"}, set(), "autopack/x@2"),
    ],
    ids=["free", "a person's", "numbers", "of an earlier attempt", "in use", "another run's", "above", "below"],
)
def test_choose_name(wanted: str, branches: set[str], in_use: set[str], chosen: str) -> None:
    assert choose(wanted, branches, in_use) == chosen


def test_when_all_names_are_taken_it_is_said() -> None:
    branches = {"x"} | {f"x-{number}" for number in range(2, 1000)}
    with pytest.raises(WorkspaceError, match="all taken"):
        choose("x", branches)
