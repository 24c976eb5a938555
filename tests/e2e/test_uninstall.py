"""helm uninstall leaves the user's work and nothing else."""

from __future__ import annotations

from pathlib import Path

from scripts import deploy
from scripts.deploy import kubectl

from tests.e2e.installation import Installation, install, make_run, phase


def leftovers(namespace: str) -> list[str]:
    """Names of all objects in the namespace that Kubernetes itself did not put there."""
    kinds = (
        "deployments,replicasets,services,serviceaccounts,roles,rolebindings,leases,configmaps,secrets,networkpolicies"
    )
    names = kubectl("get", kinds, "-n", namespace, "-o", "name").split()
    return [name for name in names if name not in {"serviceaccount/default", "configmap/kube-root-ca.crt"}]


def test_only_user_data_stays(cluster: None, sample_repository: Path) -> None:
    with Installation.fresh("e2e-uninstall") as installed:
        installed.import_repository("sample", sample_repository)
        installed.apply(make_run("kept", "echo work > result.txt; git add result.txt; git commit -qm work"))
        run = installed.finished("kept")
        deploy.uninstall(installed.namespace)
        assert leftovers(installed.namespace) == []
        assert [item["metadata"]["name"] for item in installed.all("pvc")] != []
        assert phase(installed.get("autopackrun", "kept")) == "Succeeded"

        install(installed.namespace)
        assert installed.git(run, "show", f"{run['status']['ref']}:result.txt") == "work\n"


def test_cluster_scoped_objects_go_too(cluster: None) -> None:
    with Installation.fresh("e2e-uninstall-2") as installed:
        deploy.uninstall(installed.namespace)
        kinds = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
        names = kubectl("get", kinds, "-o", "name", "-l", "app.kubernetes.io/instance=autopack").split()
        assert [name for name in names if installed.namespace in name] == []
