"""The cluster's command line, called within the test's own process, against a small cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.unit.autopack_cli.cluster.small_cluster import SmallCluster, serving

from autopack_cli.cluster.group import cluster_group
from autopack_cli.shared.failures import guarded


class Said(NamedTuple):
    """The exit code and what was printed."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def cluster() -> SmallCluster:
    """An empty cluster."""
    return SmallCluster()


@pytest.fixture
def call(
    cluster: SmallCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Call]:
    """Call `kubectl autopack` with arguments."""
    monkeypatch.chdir(tmp_path)
    with serving(cluster, tmp_path) as config:
        monkeypatch.setenv("KUBECONFIG", str(config))

        def run(*argv: str) -> Said:
            code = guarded(cluster_group, argv, "kubectl autopack")
            out, err = capsys.readouterr()
            return Said(code, out, err)

        yield run
