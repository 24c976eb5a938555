"""What the keeper reads of an agent, between its looks and at the end."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.recorded import recorded

from autopack.agents.reading import MAX_DOCUMENT
from autopack.errors import InvalidInput
from autopack.kept_files import KeptFiles
from autopack.manifest import Identity
from autopack_runtime import listener
from autopack_runtime.listener import Listener
from autopack_runtime.pod import Pod

CLAUDE = "claude-stream-json"
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
def pod(tmp_path: Path) -> Pod:
    files = KeptFiles(tmp_path / "artifacts", tmp_path / "kept")
    (files.artifacts / "logs").mkdir(parents=True)
    return Pod(Identity("fix-it", "uid", 1, "a" * 40, "b"), tmp_path / "workspace", files, tmp_path / "mirror")


@pytest.fixture
def log(pod: Pod) -> Path:
    return pod.artifacts / "logs" / "stdout.log"


def test_it_reads_on_where_it_was_and_tells_once(pod: Pod, log: Path) -> None:
    raw = recorded("agents/claude.jsonl")
    listening = Listener(pod, CLAUDE)
    listening.listen()
    for end in (1000, 1000, 4000, len(raw)):
        log.write_bytes(raw[:end])
        listening.listen()
    told = listening.conclude()
    assert told == {"usage": USED, "summary": "The file is committed."}
    place = pod.artifacts / "transcript.jsonl"
    assert [json.loads(line)["kind"] for line in place.read_bytes().splitlines()].count("tool_call") == 2
    place.unlink()
    assert listening.conclude() == told
    assert not place.exists()


def test_an_agent_that_prints_faster_than_it_is_read_is_heard_at_its_end(
    pod: Pod, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = recorded("agents/claude.jsonl")
    last = raw.splitlines(keepends=True)[-1]
    monkeypatch.setattr(listener, "_MOST_AT_ONCE", len(last) + 10)
    log.write_bytes(raw)
    assert Listener(pod, CLAUDE).conclude() == {
        "usage": {name: value for name, value in USED.items() if name != "requests"},
        "summary": "The file is committed.",
    }
    *_, note = (pod.artifacts / "transcript.jsonl").read_bytes().splitlines()
    assert json.loads(note)["text"] == "left out: 1 line"


def test_a_trajectory_is_read_at_the_end(pod: Pod) -> None:
    listening = Listener(pod, "mini-trajectory")
    (pod.artifacts / "trajectory.json").write_bytes(b'{"mess')
    listening.listen()
    (pod.artifacts / "trajectory.json").write_bytes(recorded("agents/mini.json"))
    told = listening.conclude()
    assert told == {"usage": USED | {"costUSD": "0.008875"}, "summary": "The file is committed."}


@pytest.mark.parametrize("size", [None, MAX_DOCUMENT + 1])
def test_a_trajectory_that_is_not_there_or_too_large_is_not_read(pod: Pod, size: int | None) -> None:
    if size is not None:
        os.truncate(os.open(pod.artifacts / "trajectory.json", os.O_WRONLY | os.O_CREAT), size)
    assert Listener(pod, "mini-trajectory").conclude() == {"usage": None, "summary": ""}
    assert not (pod.artifacts / "transcript.jsonl").exists()


def test_an_artifact_of_that_name_is_the_runs(pod: Pod, log: Path) -> None:
    log.write_bytes(recorded("agents/claude.jsonl"))
    (pod.artifacts / "transcript.jsonl").write_text("mine")
    assert Listener(pod, CLAUDE).conclude()["usage"] == USED
    assert (pod.artifacts / "transcript.jsonl").read_text() == "mine"


def test_nothing_is_written_where_a_link_of_the_run_leads(pod: Pod, log: Path) -> None:
    log.write_bytes(recorded("agents/claude.jsonl"))
    (pod.artifacts / "transcript.jsonl").symlink_to(pod.files.kept)
    assert Listener(pod, CLAUDE).conclude()["usage"] == USED
    assert not pod.files.kept.exists()


@pytest.mark.parametrize("kind", ["a link to the log", "a link to its folder", "a pipe", "a folder"])
def test_nothing_but_a_file_of_the_run_is_read(pod: Pod, log: Path, tmp_path: Path, kind: str) -> None:
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
    assert Listener(pod, CLAUDE).conclude() == {"usage": None, "summary": ""}


def test_a_log_that_the_run_has_cut_is_no_error(pod: Pod, log: Path) -> None:
    listening = Listener(pod, CLAUDE)
    log.write_bytes(recorded("agents/claude.jsonl"))
    listening.listen()
    log.write_bytes(b"")
    assert listening.conclude()["usage"] == USED


def test_a_full_disk_costs_the_transcript_and_nothing_else(
    pod: Pod, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(listener, "write_atomic", full)
    log.write_bytes(recorded("agents/claude.jsonl"))
    assert Listener(pod, CLAUDE).conclude()["usage"] == USED


@pytest.mark.parametrize("output", ["text", "telepathy"])
def test_a_format_that_is_not_read_is_refused(pod: Pod, output: str) -> None:
    with pytest.raises(InvalidInput, match="AUTOPACK_AGENT_OUTPUT"):
        Listener(pod, output)
