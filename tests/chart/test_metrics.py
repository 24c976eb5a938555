"""The options for Prometheus and Grafana."""

from __future__ import annotations

import json
import re

import pytest

from tests.chart.rendering import Helm, JsonDict, Objects

METRICS = {
    "autopack_workqueue_depth",
    "autopack_reconcile_seconds_bucket",
    "autopack_runs",
    "autopack_lease_contention_total",
    "autopack_worktree_seconds_bucket",
    "autopack_leader",
}


@pytest.fixture(scope="module")
def objects(helm: Helm) -> Objects:
    labels = {"release": "prom"}
    return helm.template(
        {"metrics": {"podMonitor": {"enabled": True, "labels": labels}, "dashboard": {"enabled": True}}}
    )


def dashboard(objects: Objects) -> JsonDict:
    parsed: JsonDict = json.loads(objects.one("ConfigMap", "autopack-dashboard")["data"]["autopack.json"])
    return parsed


def test_both_are_off_by_default(default: Objects) -> None:
    assert not default.all("PodMonitor") + default.all("ConfigMap")


def test_pod_monitor_selects_operator_and_volume(objects: Objects) -> None:
    [monitor] = objects.all("PodMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prom"
    selector = monitor["spec"]["selector"]
    [expression] = selector["matchExpressions"]
    for deployment in objects.all("Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert labels | selector["matchLabels"] == labels
        assert labels[expression["key"]] in expression["values"]


def test_pod_monitor_reads_the_port_that_serves_metrics(objects: Objects) -> None:
    [monitor] = objects.all("PodMonitor")
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s"}]


def test_dashboard_is_found_by_grafanas_sidecar(objects: Objects) -> None:
    assert objects.one("ConfigMap", "autopack-dashboard")["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_dashboard_shows_every_metric_and_no_other(objects: Objects) -> None:
    expressions = [target["expr"] for panel in dashboard(objects)["panels"] for target in panel["targets"]]
    assert {name for text in expressions for name in re.findall(r"autopack_\w+", text)} == METRICS


def test_dashboards_panels_do_not_overlap(objects: Objects) -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in dashboard(objects)["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
