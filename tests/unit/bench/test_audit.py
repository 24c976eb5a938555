"""The audit log is read from a mark on, across its rotation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.audit import AuditLog


def line(
    name: str, *, namespace: str = "n", verb: str = "create", stage: str = "ResponseComplete", code: int = 201
) -> str:
    event = {
        "stage": stage,
        "verb": verb,
        "user": {"username": "somebody"},
        "userAgent": "agent",
        "objectRef": {"resource": "pods", "namespace": namespace, "name": name},
        "responseStatus": {"code": code},
        "requestReceivedTimestamp": "2026-01-06T00:00:00.000000Z",
        "stageTimestamp": "2026-01-06T00:00:00.250000Z",
    }
    return json.dumps(event) + "\n"


def append(path: Path, *lines: str) -> None:
    with path.open("a") as log:
        log.writelines(lines)


def names(log: AuditLog, mark: object) -> list[str]:
    return [request.name for request in log.since(mark, ["n"])]  # type: ignore[arg-type]


def test_what_was_answered_before_the_mark_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    append(path, line("before"))
    log = AuditLog(path)
    mark = log.mark()
    append(path, line("after"), line("elsewhere", namespace="other"), line("begun", stage="RequestReceived"))
    assert names(log, mark) == ["after"]


def test_a_rotation_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    append(path, line("before"))
    log = AuditLog(path)
    mark = log.mark()
    append(path, line("first"))
    path.rename(tmp_path / "audit-2026-01-06T00-00-00.000.log")
    append(path, line("second"))
    assert names(log, mark) == ["first", "second"]


def test_a_log_that_was_rotated_away_is_no_measurement(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    append(path, line("before"))
    log = AuditLog(path)
    mark = log.mark()
    path.rename(tmp_path / "elsewhere.gz")
    append(path, line("after"))
    with pytest.raises(ValueError, match="rotated"):
        log.since(mark, ["n"])


def test_a_line_in_writing_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    append(path, "")
    log = AuditLog(path)
    mark = log.mark()
    append(path, line("whole"), line("cut")[:20])
    assert names(log, mark) == ["whole"]


def test_times_are_to_the_microsecond_and_refused_writes_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    append(path, "")
    log = AuditLog(path)
    mark = log.mark()
    append(path, line("made"), line("refused", code=409), line("read", verb="get", code=200))
    found = log.since(mark, ["n"])
    assert found[0].done - found[0].received == pytest.approx(0.25)
    assert [request.name for request in found if request.mutating] == ["made"]
