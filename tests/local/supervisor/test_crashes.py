"""kill -9 of the supervisor at every named step of a run: the next start recovers by itself, and nothing is lost."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from pathlib import Path

import pytest
from tests.local.supervisor.scene import Scene, is_running, python, wait_until
from tests.local.workspaces.test_crashes import CORE, FAILPOINTS, everything_kept

from autopack.failpoints import VARIABLE
from autopack.git.worktree_entries import common_dir, state_dir
from autopack.leases.file_backend import FileLeaseBackend

RUNS = ["a", "b"]
# Names two pieces of work in the artifacts as soon as they exist: a commit, then a file that is not committed.
WORK = """
import os, pathlib, subprocess, time
word = os.environ['AUTOPACK_RUN_ID'] + os.environ['AUTOPACK_ATTEMPT']
did = pathlib.Path(os.environ['AUTOPACK_ARTIFACTS'], 'did')
did.with_suffix('.pids').open('a').write(f'{os.getpid()} ')
pathlib.Path('committed.txt').write_text('committed-' + word)
subprocess.run('git add -A && git commit -qm work', shell=True, check=True)
did.open('a').write('committed-' + word + ' ')
pathlib.Path('written.txt').write_text('written-' + word)
did.open('a').write('written-' + word + ' ')
"""


def names_in(*folders: str) -> list[str]:
    files = [path for folder in folders for path in (CORE / folder).rglob("*.py")]
    return sorted({name for file in files for name in re.findall(r'hit\("([^"]+)"\)', file.read_text("utf-8"))})


STEPS = names_in("supervisor", "registry")


def test_every_failpoint_of_the_core_has_a_trial() -> None:
    # Those of deliveries are the publisher's and `autopack deliver`'s: tests/local/git_hosts, tests/local/cli.
    of_runs = {name for name in names_in("") if not name.startswith("delivery.")}
    assert of_runs == {*FAILPOINTS, *STEPS}
    assert len(STEPS) >= 12


def supervise(scene: Scene, *flags: str, failpoint: str = "") -> tuple[int, str]:
    """Run the batch, to its end or to its failpoint, and wait until nothing that it started is left."""
    env = {VARIABLE: f"{failpoint}:kill"} if failpoint else {}
    command = ("--workers", "1", "--per-run-sqlite", "--setup", "true", "--command", python(WORK))
    done = scene.supervise(RUNS, *command, *flags, env=env)
    wait_until(lambda: not any(is_running(pid) for pid in pids(scene)), "the runs have ended")
    return done.returncode, done.stdout + done.stderr


def pids(scene: Scene) -> list[int]:
    return [int(pid) for file in scene.runs.glob("*/did.pids") for pid in file.read_text().split()]


@pytest.mark.parametrize("name", STEPS)
def test_a_supervisor_killed_at_a_step_is_succeeded_by_the_next(scene: Scene, name: str) -> None:
    code, said = supervise(scene, failpoint=name)
    if code == 0:
        # Steps that only a second attempt takes.
        code, said = supervise(scene, "--redo-existing", failpoint=name)
    assert code == -signal.SIGKILL, said
    code, said = supervise(scene)
    assert code == 0, said
    assert "Total: 2/2 successful" in said
    assert_nothing_is_left(scene)
    assert_nothing_is_lost(scene)
    assert [rows(scene, run_id) for run_id in RUNS] == [["Succeeded"], ["Succeeded"]]


def assert_nothing_is_left(scene: Scene) -> None:
    assert not list((scene.runs / "workspaces").glob("[!.]*"))
    assert not list((scene.runs / "workspaces").glob(".tmp-*"))
    assert scene.git("worktree", "list").count("\n") == 0
    branches = scene.git("branch", "--format=%(refname)").split()
    assert all(name == "refs/heads/main" or scene.git("rev-list", f"main..{name}") for name in branches)
    leases = state_dir(common_dir(scene.repo)).glob("leases/*")
    locks = [*scene.runs.glob(".locks/*"), *scene.runs.glob(".workspace_leases/*"), *leases]
    assert locks
    # A record that a dead process left is no lock.
    assert not any(FileLeaseBackend(lock.parent).holder(lock.stem) for lock in locks)
    scene.git("fsck", "--strict")


def assert_nothing_is_lost(scene: Scene) -> None:
    kept = everything_kept(scene.repo)
    done = " ".join(path.read_text() for path in scene.runs.glob("*/did")).split()
    assert [word for word in done if word not in kept] == []
    for path in scene.runs.glob(".batches/*/results.jsonl"):
        assert all(json.loads(line)["run_id"] in RUNS for line in path.read_text().splitlines())


def rows(scene: Scene, run_id: str) -> list[str]:
    """Return the states in the run's row, after seeing that every event is there once."""
    with sqlite3.connect(scene.runs / run_id / f"{run_id}.db") as database:
        found = [state for (state,) in database.execute("SELECT state FROM registry_runs")]
        (events,) = database.execute("SELECT count(*) FROM registry_events").fetchone()
    database.close()
    written = (scene.runs / f".registry/{run_id}.jsonl").read_text().count("\n")
    assert events == written
    return found


def test_a_setup_command_ends_with_a_supervisor_that_is_killed(scene: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "setting-up"
    setup = python(f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    with scene.started(RUNS, "--per-run-sqlite", "--setup", setup, "--command", "true") as process:
        wait_until(lambda: mark.exists() and bool(mark.read_text()), "the setup has begun")
        process.kill()
        process.communicate(timeout=200)
        wait_until(lambda: not is_running(int(mark.read_text())), "the setup has ended")
    code, said = supervise(scene)
    assert code == 0, said
    assert_nothing_is_left(scene)
