"""Renders the chart with the real helm, and finds things in what comes out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "autopack"
KUBERNETES = "1.36.0"
"""Helm asks no cluster when it only renders; told here, for a helm built without a default."""

JsonDict = dict[str, Any]


class ChartRefusedError(Exception):
    """Helm did not render; the message is what it printed."""


class Objects(list[JsonDict]):
    """Rendered manifests."""

    def all(self, kind: str) -> list[JsonDict]:
        return [item for item in self if item["kind"] == kind]

    def one(self, kind: str, name: str) -> JsonDict:
        [found] = [item for item in self.all(kind) if item["metadata"]["name"] == name]
        return found

    def names(self, kind: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.all(kind)}

    def pod_specs(self) -> Iterator[tuple[str, JsonDict]]:
        """(name of the Deployment, pod spec) of everything that makes pods."""
        for item in self.all("Deployment"):
            yield item["metadata"]["name"], item["spec"]["template"]["spec"]


class Helm:
    """The helm binary, on this chart."""

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def run(self, *words: str | Path, stdin: str = "") -> str:
        done = subprocess.run([self.binary, *words], input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ChartRefusedError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def template(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        release: str = "autopack",
        namespace: str = "agents",
        kubernetes: str = KUBERNETES,
        chart: Path = CHART,
    ) -> Objects:
        """`helm template`, parsed. ChartRefusedError when helm says no."""
        flags = ["--namespace", namespace, "--kube-version", kubernetes, "--values", "-"]
        text = self.run("template", release, chart, *flags, stdin=json.dumps(dict(values or {})))
        return Objects(item for item in yaml.safe_load_all(text) if item)


def environment(container: JsonDict) -> dict[str, str]:
    """A container's variables that have a plain value."""
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def containers(pod: JsonDict) -> list[JsonDict]:
    """Init containers and containers of a pod spec."""
    return [*pod.get("initContainers", []), *pod["containers"]]
