"""Puts the chart onto the development cluster; the demo and the end-to-end tests share it.

Run as a program it only brings up the cluster with all images, with progress on its output: a first build takes longer
than any test may.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DEV = ROOT / ".dev"
CHART = ROOT / "charts" / "autopack"
CHECKOUT = os.environ.get("AUTOPACK_CHECKOUT", "dev")
"""Keeps work trees apart that share one cluster (a linked .dev): tag of the image, and prefix of test namespaces."""
IMAGE = f"localhost/autopack:{CHECKOUT}"
RUN_IMAGE = "localhost/autopack-base:dev"
AGENTS = tuple(os.environ.get("AGENTS", "mini-swe-agent opencode").split())
"""Real agents that tests and the demo run."""
AGENTS_IMAGE = f"localhost/autopack-agents:{'-'.join(AGENTS)}"
RELEASE = "autopack"

JsonDict = dict[str, Any]


class CommandError(RuntimeError):
    """A command failed; the message holds what it printed."""


def run(argv: Sequence[str | Path], *, stdin: bytes | None = None, timeout: float = 600) -> str:
    """Run a command and return its output; CommandError with all of its output otherwise."""
    done = subprocess.run(
        [str(word) for word in argv], input=stdin, capture_output=True, timeout=timeout, check=False, env=environment()
    )
    if done.returncode != 0:
        text = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise CommandError(f"{' '.join(str(word) for word in argv)}: exit code {done.returncode}\n{text}")
    return done.stdout.decode(errors="replace")


def environment() -> dict[str, str]:
    """The cluster's kubeconfig and tools, as `make cluster` left them."""
    kubeconfig = DEV / "kubeconfig"
    env = dict(os.environ)
    if kubeconfig.exists():
        env["KUBECONFIG"] = str(kubeconfig)
    env["PATH"] = f"{DEV / 'bin'}{os.pathsep}{env['PATH']}"
    return env


def kubectl(*words: str | Path, stdin: bytes | None = None, timeout: float = 120) -> str:
    """kubectl against that cluster."""
    return run(["kubectl", *words], stdin=stdin, timeout=timeout)


def kubectl_json(*words: str) -> JsonDict:
    """`kubectl … -o json`, parsed."""
    parsed: JsonDict = json.loads(kubectl(*words, "-o", "json"))
    return parsed


def devcluster(*words: str) -> None:
    """A devcluster command, with its progress on our own output."""
    subprocess.run([sys.executable, "-m", "devcluster", *words], cwd=ROOT, check=True)


def cluster_with_images() -> None:
    """A running cluster that has the operator's image and the run images."""
    devcluster("up")
    devcluster("image", "--tag", IMAGE)
    devcluster("test-images")


def agents_image() -> None:
    """The image of the real agents; the first time, building it takes some minutes."""
    devcluster("agents-image", "--tag", AGENTS_IMAGE, *AGENTS)


def own_namespace(name: str) -> str:
    """The name of a test namespace, for this work tree and this process of a parallel test run."""
    parts = (CHECKOUT if CHECKOUT != "dev" else "", name, os.environ.get("PYTEST_XDIST_WORKER", ""))
    return "-".join(filter(None, parts))


def make_namespace(name: str) -> None:
    """A namespace under the Pod Security Standard `restricted`."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    kubectl("apply", "-f", "-", stdin=json.dumps(manifest).encode())


def install(namespace: str, release: str = RELEASE, values: Mapping[str, object] | None = None) -> None:
    """`helm upgrade --install`, and wait until everything is ready. A value is text, as in `--set`, or a document."""
    make_namespace(namespace)
    upgraded = release in run(["helm", "list", "--namespace", namespace, "--short"]).split()
    # Helm never updates what is in a chart's crds/ folder; on a development cluster they must be today's.
    kubectl("apply", "--server-side", "--force-conflicts", "-f", ROOT / "crds")
    repository, _, tag = IMAGE.rpartition(":")
    settings = {
        "image.repository": repository,
        "image.tag": tag,
        "image.pullPolicy": "Never",
        "defaultProfile.defaultImage": RUN_IMAGE,
        "defaultProfile.imagePullPolicy": "Never",
    } | dict(values or {})
    sets = [word for name, value in settings.items() for word in _set(name, value)]
    run(
        ["helm", "upgrade", "--install", release, CHART, "--namespace", namespace, "--wait", "--timeout", "180s", *sets]
    )
    if upgraded:
        # The tag is the same for every build of a checkout, so nothing in the manifests says that the image is new.
        deployments = ["deployment", "-l", f"app.kubernetes.io/instance={release}", "-n", namespace]
        kubectl("rollout", "restart", *deployments)
        kubectl("rollout", "status", *deployments, "--timeout=120s", timeout=180)


def _set(name: str, value: object) -> tuple[str, str]:
    if isinstance(value, str):
        return "--set-string" if name.endswith("tag") else "--set", f"{name}={value}"
    return "--set-json", f"{name}={json.dumps(value)}"


def uninstall(namespace: str, release: str = RELEASE) -> None:
    """`helm uninstall`, waiting for the pods to go."""
    run(["helm", "uninstall", release, "--namespace", namespace, "--wait", "--timeout", "120s"])


def import_repository(namespace: str, name: str, repository: Path, release: str = RELEASE) -> str:
    """Bring a local clone onto the volume, as the README says; returns the refs that it has there."""
    bundle = subprocess.run(
        ["git", "-C", str(repository), "bundle", "create", "-q", "-", "--all"], capture_output=True, check=True
    )
    return in_volume(namespace, "autopack-runtime", "import-repository", name, release=release, stdin=bundle.stdout)


def in_volume(namespace: str, *words: str, release: str = RELEASE, stdin: bytes | None = None) -> str:
    """Run a command in the volume service's pod."""
    flags: Iterable[str] = ("-i",) if stdin is not None else ()
    deployment = f"deploy/{release}-volume"
    return kubectl("exec", *flags, "-n", namespace, deployment, "--", *words, stdin=stdin)


if __name__ == "__main__":
    cluster_with_images()
    agents_image()
