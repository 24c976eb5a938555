"""Heartbeats of real pods: what is read on the disk, and what it says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from autopack.file_layout import AttemptPaths
from autopack_volume.contract.messages import Committed
from autopack_volume.service.attempts import pins
from faults.beats import FILE, Beats, lives, whole_lines

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
PATHS = AttemptPaths("one", UID, 1)


def attempt(root: Path, text: str) -> Path:
    file = root / PATHS.artifacts / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def commit(root: Path, file: Path) -> None:
    entry = {"path": FILE, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    (root / PATHS.artifacts / "manifest.json").write_text(json.dumps({"files": [entry]}))
    answer: Committed = {
        "state": "committed",
        "complete": True,
        "saved": "all",
        "unsaved": [],
        "unsavedCount": 0,
        "stopReason": None,
        "head": "a" * 40,
        "ref": "",
        "branches": {},
        "snapshot": None,
        "files": 1,
        "bytes": 1,
        "manifestSha256": "m",
        "exitCode": 0,
    }
    pins.pin_committed(root, PATHS, answer)


def test_half_a_line_was_not_acknowledged(tmp_path: Path) -> None:
    assert whole_lines(attempt(tmp_path, "pod 1\npod 2")) == ["pod 1"]


def test_each_pod_that_wrote_is_one_execution() -> None:
    found = lives("one", (UID, 1), ["first 1.0", "first 2.0", "second 3.5"])
    assert [(life.pod, life.first, life.last) for life in found] == [("first", 1.0, 2.0), ("second", 3.5, 3.5)]


def test_half_a_line_of_a_full_disk_that_ran_into_the_next_is_no_heartbeat() -> None:
    found = lives("one", (UID, 1), ["first 1.0", "first 2first 7.5", "first 8.0"])
    assert [(life.pod, life.first, life.last) for life in found] == [("first", 1.0, 8.0)]


def test_what_was_seen_is_remembered_when_it_is_lost(tmp_path: Path) -> None:
    beats = Beats(tmp_path)
    file = attempt(tmp_path, "pod 1\npod 2\n")
    beats.look()
    file.write_text("pod 1\n")
    found = beats.evidence({UID: "one"})
    assert (found.acknowledged[UID, 1], found.stored[UID, 1]) == (["pod 1", "pod 2"], ["pod 1"])


def test_a_commit_whose_manifest_fits_has_the_lines(tmp_path: Path) -> None:
    commit(tmp_path, attempt(tmp_path, "pod 1\n"))
    assert Beats(tmp_path).evidence({UID: "one"}).commits[UID, 1].lines == ("pod 1",)


def test_a_file_that_changed_after_the_commit_is_not_what_was_taken_in(tmp_path: Path) -> None:
    file = attempt(tmp_path, "pod 1\n")
    commit(tmp_path, file)
    file.write_text("pod 1\npod 9\n")
    assert Beats(tmp_path).evidence({UID: "one"}).commits[UID, 1].lines == ()


def test_an_attempt_that_was_not_committed_has_no_commit(tmp_path: Path) -> None:
    attempt(tmp_path, "pod 1\n")
    assert Beats(tmp_path).evidence({UID: "one"}).commits == {}
