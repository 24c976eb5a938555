"""A range of ports for each run under way on this machine, whoever supervises it: no two test servers meet."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import NamedTuple

from autopack.errors import AutopackError

COUNT = 10
# Below those that the kernel hands out by itself, and those of NodePorts.
_STARTS = range(20_000, 30_000, COUNT)


class Ports(NamedTuple):
    """`COUNT` ports from `first`. Whoever has `descriptor` open, as a child may that inherits it, keeps them."""

    first: int
    descriptor: int

    @property
    def environment(self) -> dict[str, str]:
        """What tells a run of them."""
        return {"AUTOPACK_PORT": str(self.first), "AUTOPACK_PORT_COUNT": str(COUNT)}


@contextlib.contextmanager
def reserved() -> Iterator[Ports]:
    """Hold a range that no other run has and of which no port is in use. Raises AutopackError NoFreePorts."""
    for first in _STARTS:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as claim:
            if _binds(claim, f"\0autopack-ports-{first}") and all(map(_is_free, range(first, first + COUNT))):
                yield Ports(first, claim.fileno())
                return
    message = f"no {COUNT} ports together are free from {_STARTS.start} to {_STARTS.stop - 1}"
    raise AutopackError("NoFreePorts", message, "End what listens there")


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket(socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _binds(probe, ("", port))


def _binds(one: socket.socket, address: str | tuple[str, int]) -> bool:
    # An abstract name (unix(7)) is one of the network namespace, as ports are, whoever asks; it leaves no file behind.
    try:
        one.bind(address)
    except OSError:
        return False
    return True
