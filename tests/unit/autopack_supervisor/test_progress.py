"""What is shown of a batch, and to whom."""

from __future__ import annotations

import os
import threading
from io import StringIO
from pathlib import Path

import pytest

from autopack.progress import LiveProgress, PlainProgress, choose_progress


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_change_is_a_line_with_counts_and_the_time_left() -> None:
    shown, clock = StringIO(), Clock()
    progress = PlainProgress(shown, clock)
    progress.begin(4, 2)
    progress.finished("z", success=True, skipped=True, seconds=0, detail="")
    progress.started("a", 1)
    progress.started("b", 2)
    clock.now = 10
    progress.finished("a", success=False, skipped=False, seconds=10, detail="no")
    assert shown.getvalue().splitlines() == [
        "z: succeeded before [1/4 ended: 0 succeeded, 0 failed, 1 done before; 0 running]",
        "a: started",
        "b: started (attempt 2)",
        "a: FAILED in 10s: no [2/4 ended: 0 succeeded, 1 failed, 1 done before; 1 running, about 5s left]",
    ]


def test_runs_whose_turn_did_not_come_did_not_fail() -> None:
    shown = StringIO()
    progress = PlainProgress(shown)
    progress.begin(2, 1)
    progress.finished("a", success=True, skipped=False, seconds=3, detail="Branch: autopack/a (012345)")
    progress.never_started("b")
    assert shown.getvalue().splitlines() == [
        "a: succeeded in 3s: Branch: autopack/a (012345) [1/2 ended: 1 succeeded, 0 failed; 0 running, about 3s left]",
        "b: not started [1/2 ended: 1 succeeded, 0 failed, 1 not started; 0 running]",
    ]


def test_a_reader_who_goes_away_does_not_end_the_batch() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as stream:
        progress = PlainProgress(stream)
        for _ in range(3):
            progress.note("nobody reads this")
        # What is left in the buffer must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_a_terminal_gets_a_table_of_what_runs() -> None:
    shown, clock = StringIO(), Clock()
    progress = LiveProgress(shown, clock)
    progress.begin(30, 25)
    with progress:
        for number in range(25):
            progress.started(f"run-[{number}]", 1)
        clock.now = 61
        table = progress.table()
        progress.finished("run-[0]", success=False, skipped=False, seconds=61, detail="bad [markup]")
    assert table.row_count == 20
    assert "run-[0]: FAILED in 1m1s: bad [markup]" in shown.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_lines_elsewhere(is_terminal: bool) -> None:
    stream = StringIO()
    stream.isatty = lambda: is_terminal  # type: ignore[method-assign]
    assert isinstance(choose_progress(stream), LiveProgress) == is_terminal


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    with (tmp_path / "shown").open("w") as stream:
        progress = PlainProgress(stream)
        progress.begin(200, 8)

        def work(worker: int) -> None:
            for number in range(25):
                progress.started(f"{worker}-{number}", 1)
                progress.finished(f"{worker}-{number}", success=True, skipped=False, seconds=1, detail="")

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = (tmp_path / "shown").read_text().splitlines()
    assert len(lines) == 400
    assert "[200/200 ended: 200 succeeded, 0 failed; 0 running]" in lines[-1]
