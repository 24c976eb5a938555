"""The adapters against the real API server, in a namespace without an operator."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from scripts import deploy
from scripts.deploy import kubectl

from autopack_operator.adapters.kube.connection import Connection


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace of its own, without an operator in it."""
    try:
        kubectl("get", "--raw", "/readyz")
    except (deploy.CommandError, FileNotFoundError):
        deploy.devcluster("up")
    kubectl("apply", "--server-side", "--force-conflicts", "-f", deploy.ROOT / "crds")
    name = f"adapters-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
async def connection(namespace: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connection]:
    monkeypatch.setenv("KUBECONFIG", deploy.environment()["KUBECONFIG"])
    opened = await Connection.open()
    yield opened
    await opened.close()
