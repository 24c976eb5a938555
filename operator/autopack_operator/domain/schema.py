"""pydantic model -> structural OpenAPI v3 schema, as apiextensions.k8s.io/v1 wants it.

The API server refuses $ref, anyOf with null, and additionalProperties beside properties ("structural schema", KEP-1979
era rules), all of which pydantic emits; this module rewrites exactly those.
"""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel

from autopack_operator.domain.api.common import JsonDict

_DROPPED = frozenset({"title", "$defs", "additionalProperties", "discriminator"})


def structural_schema(model: type[BaseModel]) -> JsonDict:
    """Schema of the model without references; raises ValueError on a shape that Kubernetes could not store."""
    document = model.model_json_schema(by_alias=True, mode="validation")
    schema = _rewrite(document, document.get("$defs", {}))
    _mark_list_maps(model, schema)
    return schema


def _rewrite(node: JsonDict, definitions: dict[str, JsonDict]) -> JsonDict:
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[1]]
        return _rewrite({**target, **{k: v for k, v in node.items() if k != "$ref"}}, definitions)
    if "anyOf" in node:
        return _rewrite_optional(node, definitions)
    rewritten = {key: value for key, value in node.items() if key not in _DROPPED}
    if "default" in rewritten:
        _rewrite_default(rewritten)
    if isinstance(node.get("additionalProperties"), dict):
        rewritten["additionalProperties"] = _rewrite(node["additionalProperties"], definitions)
    rewritten.pop("propertyNames", None)
    if "properties" in node:
        rewritten["properties"] = {key: _rewrite(value, definitions) for key, value in node["properties"].items()}
    if "items" in node:
        rewritten["items"] = _rewrite(node["items"], definitions)
    if rewritten.get("type") == "integer":
        rewritten["format"] = "int64"
    if "description" in rewritten:
        rewritten["description"] = " ".join(rewritten["description"].split())
    return rewritten


def _rewrite_default(rewritten: JsonDict) -> None:
    """An absent field is absent, not null: nulls in defaults would be refused."""
    default = rewritten["default"]
    if default is None:
        del rewritten["default"]
    elif isinstance(default, dict):
        rewritten["default"] = {key: value for key, value in default.items() if value is not None}


def _rewrite_optional(node: JsonDict, definitions: dict[str, JsonDict]) -> JsonDict:
    """`X | None`: the field may be absent, so the null branch goes."""
    branches = [branch for branch in node["anyOf"] if branch.get("type") != "null"]
    if len(branches) != 1:
        raise ValueError(f"Kubernetes schemas have no unions: {node}")
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return _rewrite({**branches[0], **rest}, definitions)


def _mark_list_maps(model: type[BaseModel], schema: JsonDict) -> None:
    """Lists whose items have a key become maps for the API server: it refuses doubles and merges by key."""
    for name, field in model.model_fields.items():
        child = schema["properties"][field.alias or name]
        nested = _model_in(field.annotation)
        if key := getattr(model, "list_map_keys", {}).get(name):
            child["x-kubernetes-list-type"] = "map"
            child["x-kubernetes-list-map-keys"] = [key]
        if nested is not None:
            _mark_list_maps(nested, child["items"] if child.get("type") == "array" else child)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg)) is not None), None)
