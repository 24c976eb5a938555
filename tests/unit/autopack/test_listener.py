"""What is read of an agent, between its looks and at the end."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.recorded import recorded

from autopack.agents import listener
from autopack.agents.formats import FORMATS, OutputFormat
from autopack.agents.listener import Listener
from autopack.agents.reading import MAX_DOCUMENT

CLAUDE = FORMATS[OutputFormat.CLAUDE_STREAM_JSON]
MINI = FORMATS[OutputFormat.MINI_TRAJECTORY]
USED = {
    "requests": 3,
    "inputTokens": 4400,
    "outputTokens": 125,
    "cachedTokens": 2700,
    "turns": 3,
    "costUSD": "0.007785",
    "source": "agent",
}


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts"
    (folder / "logs").mkdir(parents=True)
    return folder


@pytest.fixture
def log(artifacts: Path) -> Path:
    return artifacts / "logs" / "stdout.log"


def test_it_reads_on_where_it_was_and_tells_once(artifacts: Path, log: Path) -> None:
    raw = recorded("agents/claude.jsonl")
    listening = Listener(artifacts, CLAUDE)
    listening.listen()
    for end in (1000, 1000, 4000, len(raw)):
        log.write_bytes(raw[:end])
        listening.listen()
    told = listening.conclude()
    assert told == {"usage": USED, "summary": "The file is committed."}
    place = artifacts / "transcript.jsonl"
    assert [json.loads(line)["kind"] for line in place.read_bytes().splitlines()].count("tool_call") == 2
    place.unlink()
    assert listening.conclude() == told
    assert not place.exists()


def test_an_agent_that_prints_faster_than_it_is_read_is_heard_at_its_end(
    artifacts: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = recorded("agents/claude.jsonl")
    last = raw.splitlines(keepends=True)[-1]
    monkeypatch.setattr(listener, "_MOST_AT_ONCE", len(last) + 10)
    log.write_bytes(raw)
    assert Listener(artifacts, CLAUDE).conclude() == {
        "usage": {name: value for name, value in USED.items() if name != "requests"},
        "summary": "The file is committed.",
    }
    *_, note = (artifacts / "transcript.jsonl").read_bytes().splitlines()
    assert json.loads(note)["text"] == "left out: 1 line"


def test_a_trajectory_is_read_at_the_end(artifacts: Path) -> None:
    listening = Listener(artifacts, MINI)
    (artifacts / "trajectory.json").write_bytes(b'{"mess')
    listening.listen()
    (artifacts / "trajectory.json").write_bytes(recorded("agents/mini.json"))
    told = listening.conclude()
    assert told == {"usage": USED | {"costUSD": "0.008875"}, "summary": "The file is committed."}


@pytest.mark.parametrize("size", [None, MAX_DOCUMENT + 1])
def test_a_trajectory_that_is_not_there_or_too_large_is_not_read(artifacts: Path, size: int | None) -> None:
    if size is not None:
        os.truncate(os.open(artifacts / "trajectory.json", os.O_WRONLY | os.O_CREAT), size)
    listening = Listener(artifacts, MINI)
    assert listening.conclude() == {"usage": None, "summary": None}
    assert "trajectory.json" in listening.problem
    assert not (artifacts / "transcript.jsonl").exists()


def test_an_artifact_of_that_name_is_the_runs(artifacts: Path, log: Path) -> None:
    log.write_bytes(recorded("agents/claude.jsonl"))
    (artifacts / "transcript.jsonl").write_text("mine")
    assert Listener(artifacts, CLAUDE).conclude()["usage"] == USED
    assert (artifacts / "transcript.jsonl").read_text() == "mine"


def test_nothing_is_written_where_a_link_of_the_run_leads(artifacts: Path, log: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    log.write_bytes(recorded("agents/claude.jsonl"))
    (artifacts / "transcript.jsonl").symlink_to(kept)
    assert Listener(artifacts, CLAUDE).conclude()["usage"] == USED
    assert not kept.exists()


@pytest.mark.parametrize("kind", ["a link to the log", "a link to its folder", "a pipe", "a folder"])
def test_nothing_but_a_file_of_the_run_is_read(artifacts: Path, log: Path, tmp_path: Path, kind: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "stdout.log").write_bytes(recorded("agents/claude.jsonl"))
    if kind == "a link to the log":
        log.symlink_to(elsewhere / "stdout.log")
    elif kind == "a link to its folder":
        log.parent.rmdir()
        log.parent.symlink_to(elsewhere)
    elif kind == "a pipe":
        os.mkfifo(log)
    else:
        log.mkdir()
    assert Listener(artifacts, CLAUDE).conclude() == {"usage": None, "summary": None}


def test_a_log_that_the_run_has_cut_is_no_error(artifacts: Path, log: Path) -> None:
    listening = Listener(artifacts, CLAUDE)
    log.write_bytes(recorded("agents/claude.jsonl"))
    listening.listen()
    log.write_bytes(b"")
    assert listening.conclude()["usage"] == USED


def test_a_full_disk_costs_the_transcript_and_nothing_else(
    artifacts: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(listener, "write_atomic", full)
    log.write_bytes(recorded("agents/claude.jsonl"))
    listening = Listener(artifacts, CLAUDE)
    assert listening.conclude()["usage"] == USED
    assert listening.problem == "transcript.jsonl cannot be written: No space left on device"
