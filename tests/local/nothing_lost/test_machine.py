"""The machine, for about a minute: the same lives each time. `make faults` plays it longer, with new ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from tests.local.nothing_lost.machine import COMMON, STEPS, play

LIVES = 30


@pytest.mark.timeout(900)
def test_no_life_of_a_worktree_loses_anything(tmp_path: Path) -> None:
    play(tmp_path, settings(COMMON, max_examples=LIVES, stateful_step_count=STEPS, derandomize=True))
