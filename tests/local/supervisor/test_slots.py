"""What the anchor allows at once holds for all supervisors of a project together, however they end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from tests.local.supervisor.scene import Scene, anchor, python, wait_until
from tests.local.supervisor.test_batches import TRACE

from autopack.supervisor.slots import Slots

# Says that it works, and does so until told to end, or for a minute.
WORK = """
import os, pathlib, time
place = pathlib.Path(os.environ['AUTONOMOUS_RUNS_DIR'])
(place / ('at-work-' + os.environ['AUTOPACK_RUN_ID'])).touch()
until = time.monotonic() + 60
while not (place / 'go').exists() and time.monotonic() < until: time.sleep(0.05)
"""


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.anchor.write_text(json.dumps(anchor(most=2)))
    return scene


@contextlib.contextmanager
def supervising(scene: Scene, *run_ids: str, code: str = WORK) -> Iterator[subprocess.Popen[str]]:
    with scene.started(run_ids, "--workers", "2", "--per-run-sqlite", "--command", python(code)) as process:
        yield process


def at_work(scene: Scene, *run_ids: str) -> Callable[[], bool]:
    return lambda: all((scene.runs / f"at-work-{run_id}").exists() for run_id in run_ids)


def said_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"never said: {text}")


def test_two_supervisors_run_no_more_at_once_than_the_anchor_allows(scene: Scene) -> None:
    with supervising(scene, *"abc", code=TRACE) as one, supervising(scene, *"def", code=TRACE) as other:
        for process in (one, other):
            said, _ = process.communicate(timeout=120)
            assert "Total: 3/3 successful" in said
    at_once = [0]
    for line in (scene.runs / "trace").read_text().split():
        at_once.append(at_once[-1] + (1 if line == "+" else -1))
    assert max(at_once) == 2


def test_a_run_that_waits_says_so_and_goes_on_when_there_is_room(scene: Scene) -> None:
    with supervising(scene, "a", "b") as one:
        wait_until(at_work(scene, "a", "b"), "two runs work")
        with supervising(scene, "c") as other:
            said = said_until(other, "c: waiting")
            assert "c: waiting: the anchor of 'test' allows 2 runs at once, and others are under way" in said
            assert not at_work(scene, "c")()
            (scene.runs / "go").touch()
            assert "Total: 1/1 successful" in other.communicate(timeout=200)[0]
        one.communicate(timeout=200)


def test_a_run_that_waits_is_given_up_by_the_first_ctrl_c(scene: Scene) -> None:
    with supervising(scene, "a", "b") as one:
        wait_until(at_work(scene, "a", "b"), "two runs work")
        with supervising(scene, "c", "d") as other:
            said_until(other, "waiting")
            os.killpg(other.pid, signal.SIGINT)
            said, _ = other.communicate(timeout=200)
            assert "c: NOT STARTED" in said
            assert "Total: 0/2 successful" in said
            assert "FAILED" not in said
            assert not (scene.runs / "c").exists()
        (scene.runs / "go").touch()
        one.communicate(timeout=200)


def test_the_slots_of_a_killed_supervisor_are_free_when_its_runs_have_ended(scene: Scene) -> None:
    with supervising(scene, "a", "b") as one:
        wait_until(at_work(scene, "a", "b"), "two runs work")
        one.kill()
        one.communicate()
    with supervising(scene, "c", "d") as other:
        wait_until(at_work(scene, "c", "d"), "two others work")
        (scene.runs / "go").touch()
        assert "Total: 2/2 successful" in other.communicate(timeout=200)[0]


def test_what_a_run_leaves_running_keeps_no_slot(scene: Scene) -> None:
    leaves = python("import subprocess; subprocess.Popen(['sleep', '20'], start_new_session=True, close_fds=False)")
    scene.anchor.write_text(json.dumps(anchor(most=1)))
    for run_id in ("a", "b"):
        done = scene.supervise([run_id], "--per-run-sqlite", "--command", leaves)
        assert "Total: 1/1 successful" in done.stdout
        assert "waiting" not in done.stderr


def take(slots: Slots) -> contextlib.AbstractContextManager[tuple[int, ...] | None]:
    return slots.taken(lambda _seconds: False, lambda _why: None)


def test_an_anchor_that_allows_fewer_counts_the_runs_of_one_that_allowed_more(scene: Scene) -> None:
    generous, strict = Slots(scene.repo, "test", 3), Slots(scene.repo, "test", 2)
    with contextlib.ExitStack() as stay, contextlib.ExitStack() as go:
        assert None not in [go.enter_context(take(generous)) for _ in range(2)]
        assert stay.enter_context(take(generous)) is not None
        with take(generous) as fourth, take(strict) as refused:
            assert (fourth, refused) == (None, None)
        go.close()
        # One of the three is left, and it has the place that two others would not use.
        with take(strict) as granted, take(strict) as refused:
            assert (granted is None, refused is None) == (False, True)


def test_projects_do_not_wait_for_each_other(scene: Scene) -> None:
    with take(Slots(scene.repo, "one", 1)) as first, take(Slots(scene.repo, "../one", 1)) as second:
        assert None not in (first, second)
