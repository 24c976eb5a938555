"""The Pod Security Standard `restricted` as a pure check (https://kubernetes.io/docs/concepts/security/pod-security-standards)."""

from __future__ import annotations

from typing import Any

from tests.chart.rendering import containers

JsonDict = dict[str, Any]

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def violations(pod: JsonDict) -> list[str]:
    """What in a pod spec `restricted` refuses; empty when it is compliant."""
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    found += [f"volume {v['name']}" for v in pod.get("volumes", []) if not (set(v) - {"name"}) <= VOLUMES]
    if pod.get("securityContext", {}).get("sysctls"):
        found.append("sysctls")
    for container in containers(pod):
        merged = pod.get("securityContext", {}) | container.get("securityContext", {})
        found += [f"{container['name']}: {problem}" for problem in _of_container(container, merged)]
    return found


def _of_container(container: JsonDict, security: JsonDict) -> list[str]:
    capabilities = security.get("capabilities", {})
    rules = {
        "privileged": security.get("privileged", False),
        "allowPrivilegeEscalation": security.get("allowPrivilegeEscalation") is not False,
        "runAsNonRoot": security.get("runAsNonRoot") is not True,
        "runAsUser": security.get("runAsUser") == 0,
        "seccompProfile": security.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"},
        "capabilities.drop": "ALL" not in capabilities.get("drop", []),
        "capabilities.add": not set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        "procMount": security.get("procMount", "Default") != "Default",
        "seLinuxOptions": bool(security.get("seLinuxOptions")),
        "hostPort": any(port.get("hostPort") for port in container.get("ports", [])),
    }
    return [name for name, broken in rules.items() if broken]
