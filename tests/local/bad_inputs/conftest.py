"""Fixtures of the table of bad inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.supervisor.scene import Scene, make_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A repository, an anchor and a folder of runs that is not there yet."""
    return make_scene(tmp_path)
