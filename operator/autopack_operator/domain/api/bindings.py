"""Keys of Secrets and ConfigMaps that a RunProfile hands to runs. The kubelet reads them; the operator reads none."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from autopack_operator.domain.api.common import ENV_NAME, Model

ObjectName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
        description="Name of the object, in the namespace of the run.",
    ),
]
DataKey = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$", description="Key in the object's data.")
]


class KeyRef(Model):
    """One key of a Secret or of a ConfigMap in the namespace of the run."""

    name: ObjectName
    key: DataKey


class ValueFrom(Model):
    """One key of a Secret or of a ConfigMap: exactly one of the two is set."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "has(self.secretKeyRef) != has(self.configMapKeyRef)",
                    "message": "set exactly one of secretKeyRef and configMapKeyRef",
                }
            ]
        }
    )

    secret_key_ref: Annotated[KeyRef | None, Field(description="A key of a Secret.")] = None
    config_map_key_ref: Annotated[KeyRef | None, Field(description="A key of a ConfigMap.")] = None


class BoundEnv(Model):
    """A variable that the administrator gives to runs: a plain value, or a key of a Secret or ConfigMap."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "has(self.value) != has(self.valueFrom)",
                    "message": "set exactly one of value and valueFrom",
                },
                {
                    "rule": "!self.name.startsWith('AUTOPACK_') && self.name != 'AUTONOMOUS_RUNS_DIR'",
                    "message": "names that begin with AUTOPACK_, and AUTONOMOUS_RUNS_DIR, are set by Autopack itself; "
                    "choose another name",
                },
            ]
        }
    )

    name: Annotated[str, Field(min_length=1, max_length=256, pattern=ENV_NAME, description="Name of the variable.")]
    value: Annotated[str | None, Field(max_length=4096, description="Its value, passed on as it is.")] = None
    value_from: Annotated[ValueFrom | None, Field(description="The key that holds its value.")] = None
