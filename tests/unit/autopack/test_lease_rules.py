"""Who gets a lease, and when a holder counts as gone."""

import pytest

from autopack.leases.port import Holder
from autopack.leases.rules import Answer, has_ended, lost_its_lock, on_request

HERE = {"host": "h", "machine": "m", "boot": "b", "pids": "p", "pid": "7", "started": "100"}


def holder(**facts: str) -> Holder:
    return Holder("other", {**HERE, **facts})


ME = Holder("me", HERE)


@pytest.mark.parametrize(
    ("current", "gone", "answer"),
    [
        (None, False, Answer.TAKE),
        (ME, False, Answer.KEEP),
        (ME, True, Answer.KEEP),
        (holder(), True, Answer.TAKE),
        (holder(), False, Answer.REFUSE),
    ],
)
def test_on_request(current: Holder | None, gone: bool, answer: Answer) -> None:
    assert on_request(current, ME, current_is_gone=gone) is answer


@pytest.mark.parametrize(
    ("recorded", "started", "ended"),
    [
        (holder(), "100", False),
        (holder(), None, True),
        (holder(), "200", True),
        (holder(pids="other"), None, False),
        (holder(boot="before"), "100", True),
        (holder(boot="other", host="elsewhere"), None, False),
        (holder(boot="other", machine="n"), None, False),
    ],
    ids=["alive", "no such pid", "pid reused", "other pid namespace", "restarted", "other host", "same name"],
)
def test_has_ended(recorded: Holder, started: str | None, ended: bool) -> None:
    assert has_ended(recorded, ME, started) is ended


@pytest.mark.parametrize(
    ("recorded", "lost"),
    [
        (holder(), True),
        (holder(pids="other"), True),
        (holder(boot="before"), True),
        (holder(boot="other", host="elsewhere"), False),
    ],
)
def test_a_lock_we_got_proves_the_holder_gone_on_this_machine_only(recorded: Holder, lost: bool) -> None:
    assert lost_its_lock(recorded, ME) is lost


def test_without_a_machine_id_another_boot_proves_nothing() -> None:
    here = Holder("me", {**HERE, "machine": ""})
    assert not lost_its_lock(holder(boot="before", machine=""), here)
