"""The port: what every keeper of leases can do. Backends pass tests/contract/lease_contract.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from autopack.errors import AutopackError


@dataclass(frozen=True)
class Holder:
    """Who claims a lease.

    `identity` is unique to one claimant (a lease object in a process, a pod by its UID): whoever shows it again is the
    same one. `facts` say who that is, for people and for the judgement whether the claimant can still be at work.
    """

    identity: str
    facts: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.facts.items()) or self.identity


class LeaseAlive(AutopackError):  # noqa: N818 - says a state
    """A lease is not taken away, because its holder is known to be at work."""

    def __init__(self, key: str, holder: str) -> None:
        super().__init__(
            "LeaseAlive", f"the lease {key} is held by a live process ({holder})", "End that process first"
        )
        self.args = (key, holder)


class LeaseBackend(Protocol):
    """A keeper of leases. Keys are file-safe words of at most 253 characters."""

    def try_acquire(self, key: str, holder: Holder) -> bool:
        """Claim at once or not at all; True as well when `holder` has it already.

        A claim whose holder is proven to be gone is taken over; silence proves nothing.
        """
        ...

    def release(self, key: str, holder: Holder) -> None:
        """Give the claim up; nothing happens if somebody else or nobody has it."""
        ...

    def holder(self, key: str) -> Holder | None:
        """Return who has it now, None if it is free (a holder proven to be gone has nothing)."""
        ...

    def force_release(self, key: str) -> bool:
        """Take the claim from a holder that cannot be proven to be gone; a person has said it is.

        Returns False if nobody had it. May raise LeaseAlive where the backend knows better.
        """
        ...
