"""Named places where a test can make this process die, to see the next start repair what was left.

Armed by the environment only: `AUTOPACK_FAILPOINT=<name>:kill` (SIGKILL, as a crash) or `<name>:raise`.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "AUTOPACK_FAILPOINT"


class FailpointError(RuntimeError):
    """The failure that a failpoint armed with `raise` makes."""


def hit(name: str) -> None:
    """Do nothing, unless this failpoint is the one the environment arms."""
    armed = os.environ.get(VARIABLE)
    if armed is None:
        return
    wanted, _, action = armed.rpartition(":")
    if wanted != name:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise FailpointError(f"failpoint {name}")
