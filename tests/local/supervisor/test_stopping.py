"""Ending a batch from outside: Ctrl-C once, twice, thrice, SIGTERM, SIGKILL; and going on afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from tests.local.supervisor.scene import Scene, is_running, python, wait_until

from autopack.supervisor.control import Level, StopControl, signals_into
from autopack.supervisor.process import GRACE_SECONDS, start

# Says that it has started, with its pid and that of a child, and ends when told by a file.
PATIENT = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen(['sleep', '120'])
pathlib.Path('work').write_text('half done')
place = pathlib.Path(os.environ['AUTOPACK_ARTIFACTS'])
(place / 'pids.tmp').write_text(f'{os.getpid()} {child.pid}')
(place / 'pids.tmp').rename(place / 'pids')
while not (place.parent / 'go').exists(): time.sleep(0.05)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PATIENT
RUNS = ["a", "b", "c", "d"]


@contextlib.contextmanager
def started(scene: Scene, code: str = PATIENT) -> Iterator[subprocess.Popen[str]]:
    """Start four runs with two workers and wait until both work."""
    with scene.started(RUNS, "--workers", "2", "--per-run-sqlite", "--command", python(code)) as process:
        wait_until(lambda: len(list(scene.runs.glob("*/pids"))) == 2, "two runs have started")
        yield process


def pids(scene: Scene) -> list[int]:
    return [int(pid) for file in scene.runs.glob("*/pids") for pid in file.read_text().split()]


def finish(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=200)
    return said


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    """Signal the whole foreground process group, as a terminal does."""
    os.killpg(process.pid, signal.SIGINT)


def test_the_first_ctrl_c_waits_for_the_runs_under_way_and_starts_no_others(scene: Scene) -> None:
    with started(scene) as process:
        press_ctrl_c(process)
        wait_for_line(process, "no new runs start")
        assert all(is_running(pid) for pid in pids(scene))
        (scene.runs / "go").touch()
        said = finish(process)
        assert process.returncode == 1
        assert "a: SUCCESS\n" in said
        assert "b: SUCCESS\n" in said
        assert "c: NOT STARTED\n  Error: not started, because the batch was interrupted" in said
        assert "c: not started [2/4 ended: 2 succeeded, 0 failed, 1 not started; 0 running]" in said
        assert "FAILED" not in said
        (summary,) = [json.loads(path.read_bytes()) for path in scene.runs.glob(".batches/*/summary.json")]
        assert (summary["succeeded"], summary["failed"], summary["not_started"]) == (2, 0, 2)
        assert "Total: 2/4 successful" in said


def test_the_same_command_again_goes_on_where_the_batch_was_interrupted(scene: Scene) -> None:
    with started(scene) as process:
        press_ctrl_c(process)
        (scene.runs / "go").touch()
        finish(process)
        done = scene.supervise(RUNS, "--workers", "2", "--per-run-sqlite", "--command", python(PATIENT))
        assert done.returncode == 0, done.stderr
        assert "a: SUCCESS (before)" in done.stdout
        assert "c: SUCCESS\n" in done.stdout
        assert "Total: 4/4 successful" in done.stdout


def test_the_second_ctrl_c_ends_the_runs_and_keeps_their_work(scene: Scene) -> None:
    with started(scene) as process:
        press_ctrl_c(process)
        wait_for_line(process, "no new runs start")
        press_ctrl_c(process)
        said = finish(process)
        assert process.returncode == 1
        assert "a: FAILED\n  Error: stopped, because the supervisor was asked to stop" in said
        assert not any(is_running(pid) for pid in pids(scene))
        assert scene.git("show", "refs/autopack/a:work") == "half done"
        assert scene.result("a")["state"] == "Canceled"


def test_the_third_ctrl_c_waits_for_nobody(scene: Scene) -> None:
    with started(scene, STUBBORN) as process:
        for said in ("no new runs start", "stopping the runs", "killing the runs"):
            press_ctrl_c(process)
            wait_for_line(process, said)
        began = time.monotonic()
        finish(process)
        assert time.monotonic() - began < GRACE_SECONDS
        assert scene.result("a")["exit_code"] == 128 + signal.SIGKILL
        assert not any(is_running(pid) for pid in pids(scene))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_stops_the_runs_in_good_order(scene: Scene, number: signal.Signals) -> None:
    with started(scene) as process:
        process.send_signal(number)
        said = finish(process)
        assert process.returncode == 1
        assert "Total: 0/4 successful" in said
        assert not any(is_running(pid) for pid in pids(scene))
        assert scene.git("show", "refs/autopack/a:work") == "half done"


def test_when_the_supervisor_is_killed_its_runs_end_and_nothing_is_lost(scene: Scene) -> None:
    with started(scene) as process:
        process.kill()
        finish(process)
        wait_until(lambda: not any(is_running(pid) for pid in pids(scene)), "the runs have ended")
        (scene.runs / "go").touch()
        done = scene.supervise(RUNS, "--workers", "2", "--per-run-sqlite", "--command", python(PATIENT))
        assert done.returncode == 0, done.stderr
        assert "Total: 4/4 successful" in done.stdout
        assert scene.git("show", "refs/autopack-history/a/1:work") == "half done"
        assert scene.result("a")["attempt"] == 2


def test_a_batch_that_was_killed_has_written_what_had_ended(scene: Scene) -> None:
    quick = "import os; os.environ['AUTOPACK_RUN_ID'] == 'a' and exit()\n" + PATIENT
    with scene.started(RUNS, "--workers", "2", "--per-run-sqlite", "--command", python(quick)) as process:
        wait_until(lambda: len(list(scene.runs.glob("*/pids"))) == 2, "two runs have started")
        process.kill()
        finish(process)
        (folder,) = (scene.runs / ".batches").iterdir()
        lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
        assert [(line["run_id"], line["success"]) for line in lines] == [("a", True)]
        summary = json.loads((folder / "summary.json").read_bytes())
        assert (summary["succeeded"], summary["finished_at"]) == (1, None)


def test_ctrl_c_in_a_program_that_executes_one_run_ends_it_and_keeps_its_work(scene: Scene) -> None:
    code = f"""
from pathlib import Path
from autopack.supervisor import ParallelRunSupervisor, SupervisorOptions
options = SupervisorOptions(command={python(PATIENT)!r})
supervisor = ParallelRunSupervisor(Path({str(scene.repo)!r}), None, {str(scene.runs)!r}, True, options=options)
supervisor.execute_run('a')
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_until((scene.runs / "a/pids").exists, "the run has started")
    press_ctrl_c(process)
    _, said = process.communicate(timeout=200)
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert not any(is_running(pid) for pid in pids(scene))
    assert scene.git("show", "refs/autopack/a:work") == "half done"


def test_a_run_that_starts_while_the_batch_is_being_stopped_is_stopped_too(tmp_path: Path) -> None:
    control = StopControl()
    control.raise_to(Level.STOP)
    outputs = tmp_path / "out", tmp_path / "err"
    group = start(["sleep", "60"], cwd=tmp_path, env=os.environ, stdout=outputs[0], stderr=outputs[1])
    with control.watching(group):
        ended = group.wait(120)
    assert (ended.stopped, ended.timed_out) == (True, False)


def test_a_signal_is_seen_at_once_even_when_it_does_not_wake_the_main_thread() -> None:
    inbox: SimpleQueue[object] = SimpleQueue()

    def press_ctrl_c_elsewhere() -> None:
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    with signals_into(inbox):
        for expected in (Level.DRAIN, Level.STOP, Level.KILL):
            threading.Thread(target=press_ctrl_c_elsewhere).start()
            assert inbox.get(timeout=60) is expected


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"never said: {text}")


def test_nothing_of_a_stopped_batch_is_left_running_or_locked(scene: Scene) -> None:
    with started(scene) as process:
        process.send_signal(signal.SIGTERM)
        finish(process)
        assert [path for path in Path("/proc").glob("[0-9]*/cwd") if _inside(path, scene.runs)] == []
        done = scene.supervise(["a"], "--cleanup")
        assert "Cleaned up 0 worktrees" in done.stdout


def _inside(link: Path, folder: Path) -> bool:
    try:
        return link.resolve().is_relative_to(folder)
    except OSError:
        return False


def test_the_second_ctrl_c_ends_a_setup_command_too(scene: Scene) -> None:
    setup = python("import os, pathlib, time; pathlib.Path('begun').touch(); time.sleep(60)")
    with scene.started(["a"], "--per-run-sqlite", "--setup", setup, "--command", "true") as process:
        wait_until((scene.runs / "workspaces/a/begun").exists, "the setup has begun")
        began = time.monotonic()
        press_ctrl_c(process)
        wait_for_line(process, "no new runs start")
        press_ctrl_c(process)
        finish(process)
        assert time.monotonic() - began < 30
        assert (scene.result("a")["state"], scene.result("a")["reason"]) == ("Canceled", "Canceled")
        assert not (scene.runs / "workspaces/a").exists()
