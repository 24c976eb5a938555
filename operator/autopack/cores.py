"""How many cores have nothing to do, for work that gains from helpers only where they would not wait for a core."""

from __future__ import annotations

import os
import time
from pathlib import Path

_LOAD = Path("/proc/loadavg")
_LOOKS, _PAUSE_SECONDS = 3, 0.002
"""What runs for a moment only (a kernel thread, a process that just ends) is gone at the next look."""


def idle_cores() -> int:
    """Return how many cores this process could keep busy right now; 1 where that cannot be known.

    What runs in other containers of the machine counts as well: the kernel tells of all of them.
    """
    try:
        cores = len(os.sched_getaffinity(0))
        left = cores_left(_LOAD.read_text("ascii"), cores)
        for _ in range(_LOOKS - 1):
            if left < cores:
                time.sleep(_PAUSE_SECONDS)
                left = max(left, cores_left(_LOAD.read_text("ascii"), cores))
    except (OSError, ValueError, AttributeError):
        return 1
    return left


def cores_left(load: str, cores: int) -> int:
    """Return how many of `cores` are left to the one who reads `load`, its own included, so at least 1.

    `load` is the text of /proc/loadavg (proc(5)): its fourth word is `<running>/<all>`, where the reader itself runs.
    Raises ValueError if it is something else.
    """
    words = load.split()
    if len(words) < 4:
        raise ValueError(load)
    others = int(words[3].partition("/")[0]) - 1
    return max(1, cores - max(0, others))
