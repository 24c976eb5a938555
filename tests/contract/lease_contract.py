"""What every lease backend must do. Subclass a contract, name the class `Test…`, and provide the three hooks.

A backend whose methods are coroutines passes the suite of claims as well, for each answer is awaited when it can be.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from autopack.leases.port import Holder, LeaseBackend
from autopack_operator.adapters.kube.lease_backend import KubeLeaseBackend

KEY = "run-0a1b2c3d"


_T = TypeVar("_T")


async def settled(answer: _T | Awaitable[_T]) -> _T:
    """Return what a plain or an asynchronous method answers."""
    return await answer if inspect.isawaitable(answer) else answer


class ClaimContract:
    """Claims. Holders `self.claimant("a")` and `self.claimant("b")` are two that are at work."""

    def backend(self) -> LeaseBackend | KubeLeaseBackend:
        """Return the backend under test; every call in one test sees the same record."""
        raise NotImplementedError

    def claimant(self, name: str) -> Holder:
        """Return a holder that is alive; equal names give equal identities."""
        raise NotImplementedError

    async def leave(self, key: str, *, provable: bool) -> None:
        """Leave the lease as a dead holder does: proven to be gone, or merely silent."""
        raise NotImplementedError

    async def acquire(self, name: str, key: str = KEY) -> bool:
        return await settled(self.backend().try_acquire(key, self.claimant(name)))

    async def holder(self, key: str = KEY) -> str | None:
        found = await settled(self.backend().holder(key))
        return None if found is None else found.identity

    async def test_a_lease_nobody_asked_for_is_free(self) -> None:
        assert await self.holder() is None

    async def test_a_free_lease_is_granted_and_names_its_holder(self) -> None:
        assert await self.acquire("a") is True
        assert await self.holder() == self.claimant("a").identity

    async def test_a_held_lease_is_refused_and_stays_with_its_holder(self) -> None:
        await self.acquire("a")
        assert await self.acquire("b") is False
        assert await self.holder() == self.claimant("a").identity

    async def test_asking_again_for_what_one_has_is_granted(self) -> None:
        await self.acquire("a")
        assert await self.acquire("a") is True

    @pytest.mark.parametrize("other", ["RUN-0A1B2C3D", "run-0a1b2c3d.x", "run-0a1b2c3d+x", "x" * 183])
    async def test_leases_of_other_keys_are_independent(self, other: str) -> None:
        await self.acquire("a")
        assert await self.acquire("b", other) is True
        assert await self.holder() == self.claimant("a").identity

    async def test_one_of_many_that_ask_at_once_gets_it(self) -> None:
        async def ask(number: int) -> bool:
            backend, holder = self.backend(), self.claimant(f"many-{number}")
            # In a thread: a plain method must stand this too; a coroutine is only made there, and awaited here.
            return await settled(await asyncio.to_thread(backend.try_acquire, KEY, holder))

        granted = await asyncio.gather(*(ask(number) for number in range(12)))
        assert granted.count(True) == 1
        assert await self.holder() == self.claimant(f"many-{granted.index(True)}").identity

    async def test_a_holder_proven_to_be_gone_is_succeeded(self) -> None:
        await self.leave(KEY, provable=True)
        assert await self.acquire("a") is True
        assert await self.holder() == self.claimant("a").identity

    async def test_silence_proves_nothing(self) -> None:
        await self.leave(KEY, provable=False)
        assert await self.acquire("a") is False
        assert await self.holder() is not None


class LeaseContract(ClaimContract):
    """Claims that are given up, too."""

    def backend(self) -> LeaseBackend:
        """Return the backend under test; every call in one test sees the same record."""
        raise NotImplementedError

    async def release(self, name: str, key: str = KEY) -> None:
        self.backend().release(key, self.claimant(name))

    async def test_a_released_lease_is_free(self) -> None:
        await self.acquire("a")
        await self.release("a")
        assert await self.holder() is None
        assert await self.acquire("b") is True

    async def test_releasing_what_another_has_changes_nothing(self) -> None:
        await self.acquire("a")
        await self.release("b")
        assert await self.holder() == self.claimant("a").identity

    async def test_releasing_twice_does_not_hurt_the_next_holder(self) -> None:
        await self.acquire("a")
        await self.release("a")
        await self.acquire("b")
        await self.release("a")
        assert await self.holder() == self.claimant("b").identity

    async def test_a_person_can_free_the_lease_of_a_silent_holder(self) -> None:
        await self.leave(KEY, provable=False)
        assert self.backend().force_release(KEY) is True
        assert await self.acquire("a") is True

    async def test_there_is_nothing_to_force_on_a_free_lease(self) -> None:
        assert self.backend().force_release(KEY) is False
        await self.acquire("a")
        await self.release("a")
        assert self.backend().force_release(KEY) is False
