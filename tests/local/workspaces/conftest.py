"""Fixtures of the workspace tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.workspaces.repos import make_repo


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return make_repo(tmp_path / "repo")
