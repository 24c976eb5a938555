"""What a RunProfile puts into the file system of a run's container."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autopack_operator.domain.api.bindings import ValueFrom
from autopack_operator.domain.api.common import Model
from autopack_operator.domain.api.quantities import Quantity

_SEGMENT = "[.]{0,2}[A-Za-z0-9_@+~-][A-Za-z0-9_.@+~-]*"

MountPath = Annotated[
    str,
    Field(
        min_length=2,
        max_length=255,
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": f"self.matches('^(/{_SEGMENT})+$')",
                    "message": "give an absolute path of letters, digits and _.@+~-, without . or .. as a part and "
                    "without a slash at its end, such as /etc/agent/mcp.json",
                },
                {
                    "rule": "self == '/dev/shm' || "
                    "!self.matches('^/(tmp$|(autopack[^/]*|proc|sys|dev|etc/(passwd|group))(/|$))')",
                    "message": "this would hide what every run needs: /tmp itself, /autopack*, /proc, /sys, /dev (but "
                    "/dev/shm), /etc/passwd and /etc/group are taken; choose another path",
                },
            ]
        },
        description="Absolute path in the run's container.",
    ),
]


class BoundFile(ValueFrom):
    """A file that the administrator gives to runs, read-only: a key of a Secret or of a ConfigMap."""

    path: MountPath


class Scratch(Model):
    """An empty folder for the run alone, which goes with its pod."""

    path: MountPath
    size_limit: Annotated[
        Quantity | None, Field(description="A run that puts more into it is evicted; no limit of its own when absent.")
    ] = None
    medium: Annotated[
        str | None,
        Field(pattern="^Memory$", description="Memory: it counts as the run's memory. On the node's disk when absent."),
    ] = None
