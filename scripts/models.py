"""The double of the model APIs in the cluster: a pod of the product's image, a service, and a Secret with its key."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from scripts import deploy
from scripts.deploy import JsonDict, kubectl

NAME = "models"
KEYS = "model-keys"
ADDRESS = f"http://{NAME}:8080"
ENV = {
    "ANTHROPIC_BASE_URL": ADDRESS,
    "OPENAI_BASE_URL": f"{ADDRESS}/v1",
    "OPENCODE_CONFIG_CONTENT": json.dumps({"provider": {"anthropic": {"options": {"baseURL": f"{ADDRESS}/v1"}}}}),
}
VALUES = {
    "agents.image": deploy.AGENTS_IMAGE,
    "agents.keysSecret": KEYS,
    "defaultProfile.env": [{"name": name, "value": value} for name, value in ENV.items()],
}
"""Of the chart: with them the presets' agents use the double."""
CODEX = ["-c", f'openai_base_url="{ADDRESS}/v1"']
"""Codex has no variable for it."""

_CODE = Path("tests", "doubles", "models")


class Models:
    """A double that answers, in the namespace of an installation, with a key of its own."""

    def __init__(self, namespace: str, script: JsonDict, *, seconds: float = 0) -> None:
        """Start it; `seconds` is how long each answer takes."""
        self.key = f"sk-double-{uuid.uuid4().hex}"
        self._namespace = namespace
        names = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
        manifests = [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": KEYS},
                "stringData": dict.fromkeys(names, self.key),
            },
            _code(script),
            _pod(seconds),
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": NAME},
                "spec": {"selector": {"app": NAME}, "ports": [{"port": 8080}]},
            },
        ]
        kubectl("delete", "pod", NAME, "-n", namespace, "--ignore-not-found")
        kubectl("apply", "-n", namespace, "-f", "-", stdin="\n---\n".join(map(json.dumps, manifests)).encode())
        kubectl("wait", f"pod/{NAME}", "-n", namespace, "--for=condition=Ready", "--timeout=90s", timeout=100)

    def counts(self) -> dict[str, int]:
        """What was asked with the key, and what that used."""
        counts: dict[str, dict[str, int]] = json.loads(self._get("counts"))
        return counts[self.key]

    def requests(self) -> list[JsonDict]:
        """The latest requests: `api`, `model`, `stream`, `tools`, `turn` and `prompt` of each."""
        requests: list[JsonDict] = json.loads(self._get("requests"))
        return requests

    def _get(self, what: str) -> str:
        path = f"/api/v1/namespaces/{self._namespace}/pods/{NAME}:8080/proxy/double/{what}"
        return kubectl("get", "--raw", path)


def _code(script: JsonDict) -> JsonDict:
    files = {path.name: path.read_text() for path in (deploy.ROOT / _CODE).glob("*.py")}
    data = files | {"script.json": json.dumps(script)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": data}


def _pod(seconds: float) -> JsonDict:
    """Its key is an argument that the kubelet fills in: no object but the Secret has it."""
    key = {"secretKeyRef": {"name": KEYS, "key": "OPENAI_API_KEY"}}
    words = ["/opt/autopack/bin/python", "-m", ".".join(_CODE.parts), "--host=0.0.0.0", "--port=8080", "--key=$(KEY)"]
    locked = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    container = {
        "name": NAME,
        "image": deploy.IMAGE,
        "imagePullPolicy": "Never",
        "workingDir": "/code",
        "command": [*words, f"--script=/code/{_CODE}/script.json", f"--seconds={seconds}"],
        "env": [{"name": "KEY", "valueFrom": key}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
        "securityContext": locked,
        "volumeMounts": [{"name": "code", "mountPath": f"/code/{_CODE}"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "labels": {"app": NAME}},
        "spec": {
            "containers": [container],
            "volumes": [{"name": "code", "configMap": {"name": NAME}}],
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
        },
    }
