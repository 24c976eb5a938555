"""Keys of Secrets and ConfigMaps that a RunProfile hands to runs. The kubelet reads them; the operator reads none."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autopack_operator.domain.api.common import Model

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
DataKey = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]


class KeyRef(Model):
    """One key of a Secret or of a ConfigMap in the namespace of the run."""

    name: ObjectName
    key: DataKey


class ValueFrom(Model):
    """Where the value of a variable comes from: exactly one of the two."""

    secret_key_ref: KeyRef | None = None
    config_map_key_ref: KeyRef | None = None


class BoundEnv(Model):
    """A variable that the administrator gives to runs: a plain value, or a key of a Secret or ConfigMap."""

    name: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    value: Annotated[str | None, Field(max_length=4096)] = None
    value_from: ValueFrom | None = None
