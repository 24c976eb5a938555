"""A dashboard that answers, without a browser."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from tests.unit.autopack_dashboard.pages import Door, Pages
from tests.unit.autopack_dashboard.scene import MemoryFiles, fill

from autopack.registry.reader import RegistryReader
from autopack.registry.urls import sqlite_url
from autopack_dashboard.app import Parts, make_app
from autopack_dashboard.rows import Rows


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the scene's rows."""
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    fill(sqlite_url(path))
    return path


@pytest.fixture
def files() -> MemoryFiles:
    """What runs left."""
    return MemoryFiles()


@pytest.fixture
async def pages(filled: Path, files: MemoryFiles) -> AsyncIterator[Pages]:
    """A dashboard on a loopback address."""
    app = make_app(Parts(Rows(RegistryReader(sqlite_url(filled), "lab")), files, None, "lab"))
    async with TestClient(TestServer(app)) as client:
        yield Pages(client)


@pytest.fixture
def door() -> Door:
    """Whoever knows people."""
    return Door()


@pytest.fixture
async def guarded(filled: Path, files: MemoryFiles, door: Door, tmp_path: Path) -> AsyncIterator[Pages]:
    """A dashboard that asks who is there."""
    own = tmp_path / "registry.db"
    shutil.copy(filled, own)
    app = make_app(Parts(Rows(RegistryReader(sqlite_url(own), "lab")), files, door, "lab"))
    async with TestClient(TestServer(app)) as client:
        yield Pages(client)
