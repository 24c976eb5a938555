"""The repositories' locks, on volumes that have them and on those that do not."""

from __future__ import annotations

import errno
import fcntl
import threading
from pathlib import Path

import pytest

from autopack_volume.service.answers import TransientError
from autopack_volume.service.settings import Settings
from autopack_volume.service.sources import mirrors
from autopack_volume.service.sources.mirrors import Mirrors


def test_another_process_is_waited_for_and_then_said(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "_LOCK_SECONDS", 0.1)
    (volume / ".repos/n-demo").mkdir(parents=True)
    with (volume / ".repos/n-demo/lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TransientError) as raised, Mirrors(Settings(root=volume)).locked("n-demo"):
            pytest.fail("the lock is another's")
    assert raised.value.reason == "RepositoryBusy"


def test_a_volume_without_locks_still_keeps_our_own_threads_apart(
    volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    repositories = Mirrors(Settings(root=volume))
    entered = threading.Event()

    def enter() -> None:
        with repositories.locked("n-demo"):
            entered.set()

    with repositories.locked("n-demo"):
        other = threading.Thread(target=enter)
        other.start()
        assert not entered.wait(0.2)
    other.join(5)
    assert entered.is_set()


def test_what_fails_while_it_is_held_is_not_mistaken_for_a_missing_lock(volume: Path) -> None:
    with pytest.raises(OSError, match="inside"), Mirrors(Settings(root=volume)).locked("n-demo"):
        raise OSError(errno.ENOLCK, "inside")
