"""Objects every embedded cluster has from its start: storage classes, DNS, and the rights of our own processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from devcluster.embedded import addresses as at

Manifest = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"


def manifests() -> tuple[tuple[str, Manifest], ...]:
    """Return (path in the API, object) pairs, in the order to apply them."""
    return (
        _storage_class("autopack-rwx", shared=True, default=True),
        _storage_class("autopack-rwo", shared=False, default=False),
        *_rights("dns", _DNS_RULES),
        *_rights("provisioner", _PROVISIONER_RULES),
        _dns_service(),
        _dns_endpoints(),
    )


_DNS_RULES = (
    ("", ("endpoints", "services", "pods", "namespaces"), ("list", "watch")),
    ("discovery.k8s.io", ("endpointslices",), ("list", "watch")),
)
_PROVISIONER_RULES = (
    ("", ("persistentvolumes",), ("get", "list", "watch", "create", "update", "patch", "delete")),
    ("", ("persistentvolumeclaims",), ("get", "list", "watch", "update")),
    ("", ("nodes",), ("get", "list", "watch")),
    ("", ("events",), ("create", "update", "patch")),
    ("storage.k8s.io", ("storageclasses",), ("get", "list", "watch")),
)


def _storage_class(name: str, *, shared: bool, default: bool) -> tuple[str, Manifest]:
    manifest = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": name,
            "annotations": {"storageclass.kubernetes.io/is-default-class": str(default).lower()},
        },
        "provisioner": at.PROVISIONER,
        "parameters": {"shared": str(shared).lower()},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }
    return f"/apis/storage.k8s.io/v1/storageclasses/{name}", manifest


def _rights(user: str, rules: Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> list[tuple[str, Manifest]]:
    name = f"devcluster:{user}"
    role = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [
            {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
            for group, resources, verbs in rules
        ],
    }
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": name}],
    }
    return [
        (f"/apis/{_RBAC}/v1/clusterroles/{name}", role),
        (f"/apis/{_RBAC}/v1/clusterrolebindings/{name}", binding),
    ]


_DNS_PORTS = [
    {"name": "dns", "port": at.DNS_PORT, "protocol": "UDP"},
    {"name": "dns-tcp", "port": at.DNS_PORT, "protocol": "TCP"},
]


def _dns_service() -> tuple[str, Manifest]:
    """A Service without selector: CoreDNS is a process of this machine, not a pod."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": at.DNS_SERVICE, "ports": _DNS_PORTS},
    }
    return "/api/v1/namespaces/kube-system/services/kube-dns", manifest


def _dns_endpoints() -> tuple[str, Manifest]:
    manifest = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {
                "kubernetes.io/service-name": "kube-dns",
                "endpointslice.kubernetes.io/managed-by": "devcluster",
            },
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [at.HOST], "conditions": {"ready": True}}],
        "ports": _DNS_PORTS,
    }
    return "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns", manifest
