"""The chart as a whole: lint, metadata, names, and that its documentation is fresh."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from scripts import generate_chart_docs

from tests.chart.rendering import CHART, KUBERNETES, ROOT, ChartRefusedError, Helm, Objects

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
CLUSTER_SCOPED = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterRole")
LONG = "r" + "x" * 52
ALL_OPTIONS = {
    "operator": {"replicas": 3},
    "metrics": {"podMonitor": {"enabled": True}, "dashboard": {"enabled": True}},
}


def test_lint_is_strictly_clean(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm.run("lint", "--strict", CHART, "--kube-version", KUBERNETES)


def test_app_version_is_the_packages_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project["version"]


def test_clusters_without_native_sidecars_are_refused(helm: Helm) -> None:
    with pytest.raises(ChartRefusedError, match=r">=1\.30"):
        helm.template(kubernetes="1.28.9")


def test_docs_are_fresh() -> None:
    page = generate_chart_docs.rendered((CHART / "values.yaml").read_text(), (CHART / "values.schema.json").read_text())
    assert (ROOT / "docs" / "chart.md").read_text() == page, "run `make generate`"


@pytest.mark.parametrize("release", ["autopack", "a", "123", LONG, "rel.with.dots"])
def test_every_name_fits_into_a_dns_label(helm: Helm, release: str) -> None:
    objects = helm.template(ALL_OPTIONS, release=release)
    namespaced = [item["metadata"]["name"] for item in objects if item["kind"] not in CLUSTER_SCOPED]
    assert len(namespaced) > 12
    assert [name for name in namespaced if len(name) > 63 or not DNS_LABEL.fullmatch(name)] == []


@pytest.mark.parametrize("other", [LONG[:-1] + "y", "rel-with-dots"])
def test_cut_or_replaced_names_stay_different(helm: Helm, other: str) -> None:
    like = LONG if other.startswith("rx") else "rel.with.dots"
    assert helm.template(release=like).names("Deployment").isdisjoint(helm.template(release=other).names("Deployment"))


def cluster_scoped(objects: Objects) -> set[tuple[str, str]]:
    return {(kind, name) for kind in CLUSTER_SCOPED for name in objects.names(kind)}


def test_installations_share_no_cluster_scoped_name(helm: Helm) -> None:
    places = [("autopack", "a"), ("autopack", "b"), ("autopack", "a-autopack"), ("other", "a")]
    names = [cluster_scoped(helm.template(release=release, namespace=namespace)) for release, namespace in places]
    assert all(names)
    assert len(set.union(*names)) == sum(len(each) for each in names)


def test_everything_else_is_in_the_releases_namespace(helm: Helm) -> None:
    objects = helm.template(ALL_OPTIONS, namespace="agents")
    namespaces = {item["metadata"].get("namespace") for item in objects if item["kind"] not in CLUSTER_SCOPED}
    assert namespaces == {"agents"}


def test_a_second_release_in_a_namespace_meets_the_first_ones_lease(helm: Helm) -> None:
    assert helm.template(release="a").names("Lease") & helm.template(release="b").names("Lease")


def test_no_object_is_a_helm_hook(helm: Helm) -> None:
    """`helm uninstall` leaves hooks behind."""
    annotations = [item["metadata"].get("annotations", {}) for item in helm.template(ALL_OPTIONS)]
    assert not [each for each in annotations if any(key.startswith("helm.sh/hook") for key in each)]


def test_only_the_claims_outlive_the_release(helm: Helm) -> None:
    kept = [
        item["kind"]
        for item in helm.template(ALL_OPTIONS)
        if "helm.sh/resource-policy" in item["metadata"].get("annotations", {})
    ]
    assert kept == ["PersistentVolumeClaim", "PersistentVolumeClaim"]
