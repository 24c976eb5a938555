"""How many cores are left to whoever asks."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from autopack import cores


@pytest.mark.parametrize(
    ("running", "count", "left"),
    [(1, 2, 2), (2, 2, 1), (3, 2, 1), (40, 2, 1), (1, 16, 16), (5, 16, 12), (0, 4, 4), (1, 1, 1)],
)
def test_who_reads_is_running_itself(running: int, count: int, left: int) -> None:
    assert cores.cores_left(f"0.20 0.18 0.12 {running}/80 11206\n", count) == left


@pytest.mark.parametrize("load", ["", "0.20 0.18 0.12", "0.20 0.18 0.12 x/80 1"])
def test_another_text_is_refused(load: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is not for people
        cores.cores_left(load, 2)


@pytest.mark.parametrize("text", [None, "nonsense"])
def test_where_nobody_tells_there_is_one_core(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        (tmp_path / "loadavg").write_text(text, "utf-8")
    monkeypatch.setattr(cores, "_LOAD", tmp_path / "loadavg")
    assert cores.idle_cores() == 1


def test_the_kernel_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loadavg").write_text("0.20 0.18 0.12 3/80 11206\n", "utf-8")
    monkeypatch.setattr(cores, "_LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert cores.idle_cores() == 6


@pytest.mark.parametrize(("running", "left"), [([3, 3, 1, 3], 2), ([2, 1], 2), ([3, 2, 2, 1], 1)])
def test_what_runs_for_a_moment_does_not_count(
    running: list[int], left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = tmp_path / "loadavg"

    def show(_: float = 0) -> None:
        load.write_text(f"0.20 0.18 0.12 {running.pop(0)}/80 11206\n", "utf-8")

    show()
    monkeypatch.setattr(cores, "_LOAD", load)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(time, "sleep", show)
    assert cores.idle_cores() == left
