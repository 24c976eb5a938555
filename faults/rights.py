"""The chart's own Role for the operator: the proxy speaks to the API server as the operator's ServiceAccount."""

from __future__ import annotations

import asyncio
from typing import Any

import yaml
from scripts import deploy

from faults.upstream import Upstream

JsonDict = dict[str, Any]

OPERATOR = f"{deploy.RELEASE}-operator"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def operators_role(namespace: str) -> list[JsonDict]:
    """Role and RoleBinding as the chart renders them."""
    templates = ["--show-only", "templates/operator/rbac.yaml"]
    text = deploy.run(["helm", "template", deploy.RELEASE, deploy.CHART, "--namespace", namespace, *templates])
    return [item for item in yaml.safe_load_all(text) if item and item["kind"] in {"Role", "RoleBinding"}]


async def grant(upstream: Upstream, namespace: str) -> None:
    """Give the operator's ServiceAccount its rights in the namespace."""
    for item in await asyncio.to_thread(operators_role, namespace):
        plural = f"{item['kind'].lower()}s"
        await upstream.request("POST", f"{RBAC}/namespaces/{namespace}/{plural}", item)
