"""The committed CRDs are today's, and structural as apiextensions.k8s.io/v1 wants them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scripts.generate_crds import TARGETS, rendered

from autopack_operator.domain.crds import RESOURCES, Resource, crd

Node = dict[str, Any]


@pytest.mark.parametrize("target", TARGETS, ids=["crds", "chart"])
def test_the_committed_files_are_fresh(target: Any) -> None:
    committed = {path.name: path.read_text() for path in target.glob("*.yaml")}
    assert committed == rendered(), "stale: run `make generate`"


def nodes(node: Node) -> Iterator[Node]:
    """Every schema in a schema."""
    yield node
    for child in (*node.get("properties", {}).values(), node.get("items"), node.get("additionalProperties")):
        if isinstance(child, dict):
            yield from nodes(child)


def schema(resource: Resource) -> Node:
    version = crd(resource)["spec"]["versions"][0]
    found: Node = version["schema"]["openAPIV3Schema"]
    return found


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.kind)
class TestSchema:
    def test_it_has_no_construct_that_is_not_structural(self, resource: Resource) -> None:
        for node in nodes(schema(resource)):
            assert not {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title"} & node.keys()
            assert not ("properties" in node and "additionalProperties" in node)

    def test_every_node_has_a_type(self, resource: Resource) -> None:
        assert all("type" in node for node in nodes(schema(resource)))

    def test_everything_under_spec_is_bounded(self, resource: Resource) -> None:
        for node in nodes(schema(resource)["properties"]["spec"]):
            if node["type"] == "array":
                assert "maxItems" in node, node
            if node["type"] == "string":
                assert "maxLength" in node or "enum" in node or "pattern" in node, node
            if node["type"] == "integer":
                assert {"minimum", "maximum"} <= node.keys(), node

    def test_no_default_is_null(self, resource: Resource) -> None:
        for node in nodes(schema(resource)):
            default = node.get("default", "")
            assert default is not None
            assert not (isinstance(default, dict) and None in default.values())


def test_runs_of_a_batch_are_a_map_by_id() -> None:
    batch = next(resource for resource in RESOURCES if resource.kind == "RunBatch")
    runs = schema(batch)["properties"]["spec"]["properties"]["runs"]
    assert (runs["x-kubernetes-list-type"], runs["x-kubernetes-list-map-keys"]) == ("map", ["id"])


def test_the_columns_are_those_a_user_wants() -> None:
    run = next(resource for resource in RESOURCES if resource.kind == "AutopackRun")
    columns = crd(run)["spec"]["versions"][0]["additionalPrinterColumns"]
    plain = [column["name"] for column in columns if "priority" not in column]
    assert plain == ["Phase", "Reason", "Attempt", "Batch", "Duration", "Age"]
