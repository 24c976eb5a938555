"""One file that git cannot take costs none of the others, and what could not be saved is named where people look."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.local.nothing_lost.agents import Agents, shell
from tests.local.nothing_lost.kept import aside, blob, told
from tests.local.supervisor.scene import Scene, make_scene
from tests.local.workspaces.repos import git

from autopack.supervisor import SupervisorOptions

UTF16 = "echo '*.rc working-tree-encoding=UTF-16' >.gitattributes; printf odd >x.rc; echo new >b.py"
TERABYTE = 1 << 40
TEN_CPU_SECONDS = ("prlimit", "--cpu=10")
"""A program that would read a file of a terabyte is ended by the kernel."""


def test_a_file_that_does_not_fit_its_encoding(agents: Agents) -> None:
    result = agents.work(UTF16)
    assert agents.lost("odd", "new\n") == []
    assert result.snapshot == git(agents.repo, "rev-parse", "refs/autopack/run-1")
    assert told(result) == ("all", [])


@pytest.mark.parametrize("target", ["src", "other", "../README.md"], ids=["itself", "a folder", "a file"])
def test_a_link_in_the_place_of_a_folder_beside_a_file_that_does_not_fit(agents: Agents, target: str) -> None:
    result = agents.work(f"{UTF16}; mkdir other; echo more >other/a.py; rm -r src; ln -s {target} src")
    assert agents.lost("odd", "new\n", "more\n", target) == []
    shown = git(agents.repo, "diff-tree", "-r", "--name-status", "main", str(result.snapshot)).splitlines()
    assert [line for line in shown if "src" in line] == ["A\tsrc", "D\tsrc/a.py"]
    assert told(result) == ("all", [])


def test_a_filter_that_fails(agents: Agents) -> None:
    attributes = "echo '*.enc filter=crypt' >.gitattributes; git config filter.crypt.clean false"
    result = agents.work(f"{attributes}; git config filter.crypt.required true; echo secret >x.enc; echo new >b.py")
    assert agents.lost("secret\n", "new\n") == []
    assert told(result) == ("all", [])


def test_a_file_of_a_terabyte_beside_small_ones(agents: Agents) -> None:
    scene = agents.scene
    command = shell("truncate -s 1T big; echo new >b.py; echo more >README.md")
    argv = [*TEN_CPU_SECONDS, *scene.argv(["run-1"], "--per-run-sqlite", "--command", command)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False, cwd=scene.root)
    assert agents.lost("new\n", "more\n") == [], done.stdout
    assert told_by_file(scene) == ("partly", [("big", TERABYTE)])
    assert "big" in done.stdout
    (place,) = (scene.runs / "workspaces/.unsaved").glob("*/big")
    assert place.stat().st_size == TERABYTE
    assert str(place.parent) in done.stdout


def told_by_file(scene: Scene) -> tuple[object, list[tuple[object, object]]]:
    """Return what the run's result file says of what was saved, and of what was not."""
    result = scene.result("run-1")
    unsaved = result["unsaved"]
    assert isinstance(unsaved, list)
    return result["saved"], [(one["path"], one["bytes"]) for one in unsaved]


def test_a_named_pipe_beside_small_files(agents: Agents) -> None:
    result = agents.work("mkfifo pipe; echo new >b.py")
    assert agents.lost("new\n") == []
    assert result["saved"] in {"all", "partly"}


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Scene]:
    """A scene whose repository is on a disk of two megabytes, and its runs on another."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    (tmp_path / "repo").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path / "repo")]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        scene = make_scene(tmp_path / "repo/scene")
        yield scene
    finally:
        subprocess.run(["umount", tmp_path / "repo"], check=True)


def test_a_full_disk_under_the_object_database(crowded: Scene, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = shell("head -c 6000000 /dev/urandom >big; cp big $AUTOPACK_ARTIFACTS/big; echo new >b.py")
    argv = [*crowded.argv(["run-1"], "--per-run-sqlite", "--command", command), "--autonomous-runs-dir", str(runs)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path)
    content = (runs / "run-1/big").read_bytes()
    kept = {*aside(runs)}
    assert blob(content) in kept, done.stdout
    (place,) = (runs / "workspaces/.unsaved").glob("*/big")
    assert str(place.parent) in done.stdout
    result = Scene(tmp_path).result("run-1")
    assert result["saved"] in {"partly", "none"}
    assert result["unsaved"]
    assert str(place.parent) in str(result)


def test_a_run_whose_work_is_all_saved_says_so(agents: Agents) -> None:
    result = agents.work("echo new >b.py")
    assert told(result) == ("all", [])
    options = SupervisorOptions(command=shell("true"))
    assert told(agents.scene.supervisor(options).execute_run("run-2")) == ("all", [])
