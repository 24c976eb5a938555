"""Fixtures of the tests of "nothing lost"."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.nothing_lost.agents import Agents
from tests.local.supervisor.scene import make_scene


@pytest.fixture
def agents(tmp_path: Path) -> Agents:
    """A repository, and agents that work on it."""
    return Agents(make_scene(tmp_path))
