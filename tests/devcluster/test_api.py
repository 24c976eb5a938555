from __future__ import annotations

from typing import Any

import pytest
from devcluster.embedded.api import node_is_ready
from devcluster.embedded.manifests import manifests


def node(**conditions: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": name, "status": status} for name, status in conditions.items()]}}


@pytest.mark.parametrize(
    "absent", [None, {}, {"status": {}}, node(Ready="False"), node(Ready="Unknown"), node(Disk="True")]
)
def test_a_node_is_not_ready_until_it_says_so(absent: dict[str, Any] | None) -> None:
    assert not node_is_ready(absent)


def test_a_node_that_says_so_is_ready() -> None:
    assert node_is_ready(node(Disk="False", Ready="True"))


def test_one_storage_class_is_the_default_and_grants_shared_access() -> None:
    classes = [manifest for _, manifest in manifests() if manifest["kind"] == "StorageClass"]
    annotation = "storageclass.kubernetes.io/is-default-class"
    defaults = [one for one in classes if one["metadata"]["annotations"][annotation] == "true"]
    assert [(one["metadata"]["name"], one["parameters"]["shared"]) for one in defaults] == [("autopack-rwx", "true")]


def test_every_manifest_is_applied_at_its_own_path() -> None:
    assert all(path.endswith(f"/{manifest['metadata']['name']}") for path, manifest in manifests())
