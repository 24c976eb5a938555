"""Deleting what runs left: any depth, any permissions, by a user who is not root, and nothing outside of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autopack.trees import remove_tree

# Permissions do not bind root, unless these rights are dropped.
RIGHTS = "-dac_override,-dac_read_search,-fowner"
AS_ANYBODY = ["setpriv", f"--bounding-set={RIGHTS}", f"--inh-caps={RIGHTS}"] if os.geteuid() == 0 else []
REMOVE = "import sys; from pathlib import Path; from autopack.trees import remove_tree; remove_tree(Path(sys.argv[1]))"


def remove_as_anybody(path: Path) -> subprocess.CompletedProcess[str]:
    argv = [*AS_ANYBODY, sys.executable, "-c", REMOVE, str(path)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "d/e/f").mkdir(parents=True)
    (tree / "d/e/f/file").write_text("x")
    (tree / "d/e/file").write_text("x")
    return tree


@pytest.mark.parametrize("mode", [0o555, 0o444, 0o111, 0o000])
@pytest.mark.parametrize("locked", [".", "d", "d/e", "d/e/f"])
def test_folders_that_forbid_it_are_removed_by_their_owner(tree: Path, locked: str, mode: int) -> None:
    (tree / locked).chmod(mode)
    done = remove_as_anybody(tree)
    assert (done.returncode, done.stderr) == (0, "")
    assert not tree.exists()


def test_a_tree_deeper_than_any_path_or_stack_is_removed(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    name = "deep"
    for _ in range(3000):
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder, name = inner, "a-name-of-some-length"
    os.close(folder)
    try:
        remove_tree(tmp_path / "deep")
        assert list(tmp_path.iterdir()) == []
    finally:
        # What is left would end pytest's own clearing of its folders.
        subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)


def test_what_a_symlink_points_to_stays(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("precious")
    outside.chmod(0o555)
    (tree / "link").symlink_to(outside)
    (tree / "d/link").symlink_to(outside / "file")
    remove_tree(tree)
    assert (outside / "file").read_text() == "precious"
    assert outside.stat().st_mode & 0o777 == 0o555
    (tmp_path / "link").symlink_to(outside)
    remove_tree(tmp_path / "link")
    assert list(tmp_path.iterdir()) == [outside]


def test_what_is_not_there_or_is_a_file_is_no_problem(tmp_path: Path) -> None:
    remove_tree(tmp_path / "absent")
    remove_tree(tmp_path / "absent/absent")
    (tmp_path / "file").touch()
    remove_tree(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_removed_is_told_when_all_else_is_gone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "d/e/f/stuck").write_text("x")
    unlink = os.unlink

    def fail(name: str, *, dir_fd: int) -> None:
        if name == "stuck":
            raise PermissionError(1, "Operation not permitted")
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", fail)
    with pytest.raises(PermissionError, match="not permitted"):
        remove_tree(tree)
    assert [path.name for path in tree.rglob("*") if path.is_file()] == ["stuck"]
    monkeypatch.undo()
    remove_tree(tree)
    assert not tree.exists()


def test_many_may_remove_the_same_tree(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for number in range(300):
        (tree / f"{number % 7}/{number}").mkdir(parents=True)
        (tree / f"{number % 7}/{number}/file").touch()
    problems: list[BaseException] = []

    def work() -> None:
        try:
            remove_tree(tree)
        except BaseException as error:  # noqa: BLE001 - told below
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (problems, tree.exists()) == ([], False)
