"""Both controllers of a comparison have the same bound, burst included."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import controller_manager
from bench.controller_manager import NAME, bounded, burst_of, with_bound
from bench.settings import CLUSTER_QPS
from devcluster.embedded.components import Component, components
from devcluster.layout import Layout, default_layout

from autopack_operator.adapters.kube.pace import Pace
from devcluster import binaries


def usual() -> Component:
    (found,) = (each for each in components(default_layout(), Path) if each.name == NAME)
    return found


def last(component: Component, flag: str) -> str:
    return [word.partition("=")[2] for word in component.argv if word.startswith(f"--{flag}=")][-1]


def test_the_clusters_own_bound_is_what_it_is_called_here() -> None:
    assert last(usual(), "kube-api-qps") == str(CLUSTER_QPS)
    assert last(usual(), "kube-api-burst") == str(burst_of(CLUSTER_QPS))


def test_another_bound_wins_over_the_clusters_own() -> None:
    found = with_bound(usual(), 50, burst_of(50))
    assert (last(found, "kube-api-qps"), last(found, "kube-api-burst")) == ("50", "100")


@pytest.mark.parametrize("qps", [50, CLUSTER_QPS])
def test_the_burst_is_the_operators(qps: int) -> None:
    pace = Pace(qps, lambda: 0.0)
    at_once = [pace.wait_seconds() for _ in range(burst_of(qps) + 1)]
    assert max(at_once[:-1]) == pytest.approx(0)
    assert at_once[-1] == pytest.approx(1 / qps)


def test_it_is_restarted_for_another_bound_only_and_gets_its_own_back(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def replace(_layout: Layout, component: Component, _progress: object) -> None:
        started.append(last(component, "kube-api-qps"))

    monkeypatch.setattr(controller_manager, "_replace", replace)
    monkeypatch.setattr(binaries, "ensure", lambda *_: Path("/built"))
    with bounded(default_layout(), CLUSTER_QPS):
        pass
    assert started == []
    with bounded(default_layout(), 50):
        assert started == ["50"]
    assert started == ["50", str(CLUSTER_QPS)]


def test_it_gets_its_own_bound_back_when_the_other_one_does_not_come_up(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def replace(_layout: Layout, component: Component, _progress: object) -> None:
        started.append(last(component, "kube-api-qps"))
        if len(started) == 1:
            raise TimeoutError

    monkeypatch.setattr(controller_manager, "_replace", replace)
    monkeypatch.setattr(binaries, "ensure", lambda *_: Path("/built"))
    with pytest.raises(TimeoutError), bounded(default_layout(), 50):
        pass
    assert started == ["50", str(CLUSTER_QPS)]
