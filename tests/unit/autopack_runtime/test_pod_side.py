"""What runs in a pod: its environment, its log, and when the keeper saves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autopack.errors import AutopackError, InvalidInput
from autopack.kept_files import KeptFiles
from autopack.log import log
from autopack.manifest import Identity
from autopack_runtime import keeper
from autopack_runtime.finish import finish
from autopack_runtime.guard import Guard
from autopack_runtime.pod import Pod
from autopack_runtime.saver import Saved, Saver

ENVIRON = {
    "AUTOPACK_RUN_ID": "fix-it",
    "AUTOPACK_RUN_UID": "0f8fad5b-d9cb",
    "AUTOPACK_ATTEMPT": "2",
    "AUTOPACK_SHA": "a" * 40,
    "AUTOPACK_BRANCH": "autopack/fix-it",
    "AUTOPACK_WORKSPACE": "/autopack/workspaces/fix-it",
    "AUTOPACK_ARTIFACTS": "/autopack/fix-it",
    "AUTOPACK_KEPT": "/autopack/.kept/fix-it",
    "AUTOPACK_MIRROR": "/autopack/.repos/n-demo/mirror.git",
}


def test_the_environment_is_read() -> None:
    pod = Pod.from_environment(ENVIRON)
    assert pod.identity == Identity("fix-it", "0f8fad5b-d9cb", 2, "a" * 40, "autopack/fix-it")
    assert pod.snapshot_ref == "refs/autopack/fix-it"


@pytest.mark.parametrize("name", ENVIRON)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Pod.from_environment({other: value for other, value in ENVIRON.items() if other != name})
    assert raised.value.field == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTOPACK_ATTEMPT", "0"),
        ("AUTOPACK_SHA", "main"),
        ("AUTOPACK_BRANCH", "-x"),
        ("AUTOPACK_WORKSPACE", "relative"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Pod.from_environment(ENVIRON | {name: value})
    assert raised.value.field == name


def test_a_long_name_still_makes_a_ref_that_git_takes() -> None:
    pod = Pod.from_environment(ENVIRON | {"AUTOPACK_RUN_ID": "x" * 253})
    assert len(pod.snapshot_ref.rsplit("/", 1)[-1]) < 250


def test_log_lines_are_json_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    log("info", "hello", url="https://user:secret@example.com/x", text="a\x1b[31m\nb", count=3, none=None)
    printed = capsys.readouterr().out
    line = json.loads(printed)
    assert printed.count("\n") == 1
    assert (line["level"], line["message"], line["count"], line["none"]) == ("info", "hello", 3, None)
    assert "secret" not in printed
    assert "\x1b" not in line["text"]


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    files = KeptFiles(tmp_path / "a", tmp_path)
    for folder in (files.artifacts, files.run_side):
        folder.mkdir()
    return Pod(Identity("fix-it", "uid", 1, "a" * 40, "b"), tmp_path / "w", files, tmp_path / "m")


@pytest.fixture
def guard(pod: Pod, tmp_path: Path) -> Guard:
    return Guard(pod, tmp_path / "bin-stop", None)


class FakeSaver(Saver):
    """Counts, and does what it is told."""

    def __init__(self, on_save: Callable[[], None]) -> None:
        self.saves = 0
        self._on_save = on_save

    def prepare(self) -> None:
        return

    def head_has_moved(self) -> bool:
        return False

    def save(self, *, last: bool = False) -> Saved:
        self.saves += 1
        self._on_save()
        return Saved("a" * 40, {}, None)


def test_it_ends_when_the_command_has_ended(pod: Pod, guard: Guard) -> None:
    pod.files.exit_file.write_text("{}")
    assert keeper.watch(pod, FakeSaver(lambda: None), 10, lambda _: False, guard, None) is False


def test_it_ends_when_told_to(pod: Pod, guard: Guard) -> None:
    assert keeper.watch(pod, FakeSaver(lambda: None), 10, lambda _: True, guard, None) is True


def test_a_fenced_keeper_saves_no_more_and_has_the_command_stopped(pod: Pod, guard: Guard) -> None:
    pod.files.fence.write_text("{}")
    saver = FakeSaver(lambda: None)
    assert keeper.watch(pod, saver, 0, lambda _: False, guard, None) is False
    assert (saver.saves, guard.reason) == (0, "Fenced")


def test_a_fenced_keeper_writes_no_result(pod: Pod) -> None:
    pod.files.fence.write_text("{}")
    with pytest.raises(AutopackError, match="is over"):
        finish(pod, FakeSaver(lambda: None), None, None)
    assert not pod.files.manifest.exists()
    assert not pod.files.result.exists()


def test_a_failed_snapshot_is_tried_again(pod: Pod, guard: Guard) -> None:
    def save() -> None:
        if saver.saves == 2:
            pod.files.exit_file.write_text("{}")
        raise AutopackError("GitFailed", "x")

    saver = FakeSaver(save)
    assert keeper.watch(pod, saver, 0, lambda _: False, guard, None) is False
    assert saver.saves == 2


@pytest.mark.parametrize(("snapshots", "times"), [(["a", "a", "a"], 1), (["a", "b", "b"], 2)])
def test_the_entrypoint_is_told_when_something_has_changed(
    pod: Pod, guard: Guard, monkeypatch: pytest.MonkeyPatch, snapshots: list[str], times: int
) -> None:
    class ChangingSaver(FakeSaver):
        def save(self, *, last: bool = False) -> Saved:
            self.saves += 1
            if self.saves == len(snapshots):
                pod.files.exit_file.write_text("{}")
            return Saved("a" * 40, {}, snapshots[self.saves - 1])

    told: list[None] = []
    monkeypatch.setattr(guard, "note_change", lambda: told.append(None))
    keeper.watch(pod, ChangingSaver(lambda: None), 0, lambda _: False, guard, None)
    assert len(told) == times


def test_it_does_not_save_before_its_time(pod: Pod, guard: Guard) -> None:
    polls = iter(range(50))

    def stopped(_: float) -> bool:
        return next(polls, None) is None

    saver = FakeSaver(lambda: None)
    keeper.watch(pod, saver, 3600, stopped, guard, None)
    assert saver.saves == 0
