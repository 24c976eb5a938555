"""What of a run's work is not saved is said where people look."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.unit.autopack_operator.builders import RunBuilder

from autopack.unsaved import Unsaved
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.conditions import find
from autopack_operator.domain.run.transitions import finished
from autopack_operator.domain.run.verdict import of_exit_code, succeeded
from autopack_operator.domain.views import CommittedWork, Saved

NOW = datetime(2026, 1, 6, tzinfo=UTC)
BIG = Unsaved(path="big", bytes=1 << 40, reason="larger than 2 GiB")


def work(saved: Saved, *unsaved: Unsaved, count: int | None = None) -> CommittedWork:
    total = len(unsaved) if count is None else count
    return CommittedWork(saved == "all", 0, "a" * 40, "ref", "b" * 64, 1, 1, None, None, saved, unsaved, total)


def ended(committed: CommittedWork, exit_code: int = 0) -> AutopackRunStatus:
    verdict = of_exit_code(exit_code) if exit_code else succeeded()
    return finished(RunBuilder("one").view(), verdict, NOW, committed=committed)


def saved_condition(status: AutopackRunStatus) -> tuple[str, str]:
    found = find(status.conditions, "WorkSaved")
    assert found is not None
    return found.status, found.reason


def test_a_run_whose_work_is_all_saved_says_so_and_no_more() -> None:
    status = ended(work("all"))
    assert (status.reason, status.message) == ("Completed", "")
    assert saved_condition(status) == ("True", "Everything")


def test_a_success_with_something_unsaved_is_seen_in_the_usual_columns() -> None:
    status = ended(work("partly", BIG))
    assert (status.phase, status.reason) == ("Succeeded", "NotAllSaved")
    assert status.message == "not saved: big (1.0 TiB, larger than 2 GiB); the worktree is kept"
    assert saved_condition(status) == ("False", "Partly")
    succeeded_ = find(status.conditions, "Succeeded")
    assert succeeded_ is not None
    assert (succeeded_.status, succeeded_.reason) == ("True", "Completed")


def test_a_failure_keeps_its_reason_and_says_what_is_not_saved_as_well() -> None:
    status = ended(work("partly", BIG), exit_code=7)
    assert (status.phase, status.reason) == ("Failed", "CommandFailed")
    assert status.message.startswith("the command ended with exit code 7; not saved: big (1.0 TiB")


@pytest.mark.parametrize(
    ("saved", "told", "said"),
    [
        ("none", ("False", "Nothing"), "not saved: big"),
        ("unknown", ("Unknown", "KeeperCutShort"), "the pod ended before"),
    ],
)
def test_how_much_is_saved(saved: Saved, told: tuple[str, str], said: str) -> None:
    status = ended(work(saved, BIG))
    assert saved_condition(status) == told
    assert said in status.message


def test_of_many_unsaved_files_a_few_are_named_and_all_are_counted() -> None:
    many = [Unsaved(path=f"f{number}", bytes=1, reason="x" * 200) for number in range(20)]
    message = ended(work("partly", *many, count=5000)).message
    assert "f0 (" in message
    assert "f3 (" not in message
    assert "(of 5000)" in message
