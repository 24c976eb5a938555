from __future__ import annotations

from pathlib import Path

import pytest
from devcluster.commands import last_line, output_of, run_logged, succeeds, tail
from devcluster.failure import Failure
from devcluster.progress import Progress


def test_a_failure_says_what_the_command_said() -> None:
    with pytest.raises(Failure, match="no such thing"):
        output_of(["sh", "-c", "echo no such thing >&2; exit 3"])


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(Failure, match="never-a-program is not installed"):
        output_of(["never-a-program"])


def test_a_missing_program_does_not_succeed() -> None:
    assert not succeeds(["never-a-program"])


def test_a_slow_command_fails_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"exit code 3.*\n.*the reason"):
        run_logged(
            ["sh", "-c", "echo the reason; exit 3"], log=tmp_path / "x" / "log", progress=Progress(), doing="building"
        )


def test_a_slow_command_shows_its_newest_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("devcluster.progress.HEARTBEAT_SECONDS", 0.0)
    run_logged(["sh", "-c", "echo step seven; sleep 0.4"], log=tmp_path / "log", progress=Progress(), doing="building")
    assert "building: step seven" in capsys.readouterr().err


def test_progress_goes_to_stderr_with_elapsed_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().say("starting")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "[   0.0s] starting\n")


def test_the_tail_of_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert tail(tmp_path / "none") == ""


def test_the_last_line_is_the_last_that_says_something() -> None:
    assert last_line("one\ntwo\n\n  \n") == "two"
