from __future__ import annotations

from pathlib import Path

import pytest
from devcluster.embedded.ownership import claim, foreign_owner, release
from devcluster.layout import Layout
from tests.devcluster.builders import layout_in


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "owner"


def cluster_in(directory: Path) -> Layout:
    layout = layout_in(directory)
    layout.dev.mkdir(parents=True)
    return layout


def test_an_unclaimed_machine_is_nobodys(tmp_path: Path, mark: Path) -> None:
    assert foreign_owner(cluster_in(tmp_path), mark) is None


def test_ones_own_claim_is_not_foreign(tmp_path: Path, mark: Path) -> None:
    layout = cluster_in(tmp_path)
    claim(layout, mark)
    assert foreign_owner(layout, mark) is None


def test_another_clusters_claim_names_it(tmp_path: Path, mark: Path) -> None:
    other = cluster_in(tmp_path / "other")
    claim(other, mark)
    assert foreign_owner(cluster_in(tmp_path), mark) == other.dev


def test_a_cluster_that_was_deleted_owns_nothing(tmp_path: Path, mark: Path) -> None:
    other = cluster_in(tmp_path / "other")
    claim(other, mark)
    other.dev.rmdir()
    assert foreign_owner(cluster_in(tmp_path), mark) is None


def test_a_released_machine_is_nobodys(tmp_path: Path, mark: Path) -> None:
    claim(cluster_in(tmp_path / "other"), mark)
    release(mark)
    assert foreign_owner(cluster_in(tmp_path), mark) is None
