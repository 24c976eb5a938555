from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from devcluster.embedded.processes import (
    Identity,
    Record,
    boot_id,
    decode,
    encode,
    identity_of,
    is_alive,
    running,
    send,
    start,
    start_time,
    stop,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def identity(process: subprocess.Popen[bytes]) -> Identity:
    found = identity_of(process.pid)
    assert found is not None
    return found


def record_of(who: Identity) -> Record:
    return Record(who, fingerprint="abc")


def test_start_time_is_read_past_a_name_with_spaces_and_parentheses() -> None:
    fields = ["S", *("0" for _ in range(18)), "4711", "0"]
    assert start_time(f"12 (a ) b) {' '.join(fields)}") == 4711


def test_a_process_that_ended_but_was_not_collected_is_not_alive() -> None:
    fields = ["Z", *("0" for _ in range(18)), "4711", "0"]
    assert start_time(f"12 (x) {' '.join(fields)}") is None


def test_a_running_process_is_alive(sleeper: subprocess.Popen[bytes]) -> None:
    assert is_alive(identity(sleeper))


def test_a_recycled_pid_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    former = replace(identity(sleeper), started=identity(sleeper).started - 1)
    assert not is_alive(former)


def test_the_same_pid_and_start_time_after_a_reboot_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    assert not is_alive(replace(identity(sleeper), boot="before"))


def test_stop_spares_the_stranger_that_has_a_recycled_pid(sleeper: subprocess.Popen[bytes]) -> None:
    former = replace(identity(sleeper), started=identity(sleeper).started - 1)
    stop({former: 0})
    assert sleeper.poll() is None


def test_stop_kills_what_does_not_heed_the_request(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    deaf = subprocess.Popen(["sh", "-c", f"trap '' TERM; : > {ready}; while :; do sleep 0.05; done"])
    while not ready.exists():
        time.sleep(0.01)
    who = identity(deaf)
    stop({who: 0.1})
    assert deaf.wait() == -signal.SIGKILL


def test_a_signal_is_not_sent_when_the_process_is_not_the_one_meant(sleeper: subprocess.Popen[bytes]) -> None:
    assert not send(sleeper.pid, signal.SIGKILL, only_if=lambda: False)
    assert sleeper.poll() is None


def test_a_pid_file_survives_writing_and_reading() -> None:
    record = record_of(Identity(7, 8, "boot"))
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    "text", ["", "{", "17", "[]", '{"identity": {"pid": 1}, "fingerprint": ""}', '{"identity": 3}']
)
def test_a_pid_file_that_was_cut_short_names_nobody(text: str) -> None:
    assert decode(text) is None


def test_a_pid_file_of_a_process_that_runs_is_believed(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    pid_file = tmp_path / "one.json"
    pid_file.write_text(encode(record_of(identity(sleeper))))
    assert running(pid_file) == record_of(identity(sleeper))


def test_a_stale_pid_file_is_not_believed(tmp_path: Path) -> None:
    pid_file = tmp_path / "one.json"
    pid_file.write_text(encode(record_of(Identity(os.getpid(), 1, boot_id()))))
    assert running(pid_file) is None


def test_a_started_process_has_its_pid_file_and_a_session_of_its_own(tmp_path: Path) -> None:
    pid_file = tmp_path / "pids" / "one.json"
    start(["sleep", "60"], pid_file=pid_file, fingerprint="abc", log=tmp_path / "logs" / "one.log", env={})
    record = running(pid_file)
    assert record is not None
    assert os.getsid(record.identity.pid) == record.identity.pid
    stop({record.identity: 5})
    assert running(pid_file) is None


def test_the_output_of_a_started_process_goes_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    start(["sh", "-c", "echo out; echo err >&2"], pid_file=tmp_path / "one.json", fingerprint="", log=log, env={})
    deadline = time.monotonic() + 60
    while log.read_text() != "out\nerr\n" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert log.read_text() == "out\nerr\n"
