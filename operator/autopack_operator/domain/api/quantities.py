"""Kubernetes quantities and resources as RunProfiles hold them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autopack_operator.domain.api.common import Model

Quantity = Annotated[str, Field(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$")]
ResourceName = Annotated[str, Field(max_length=128)]


class Resources(Model):
    """Requests and limits of the run container, as Kubernetes quantities."""

    requests: Annotated[dict[ResourceName, Quantity], Field(max_length=16, description="What a run is promised.")] = {}
    limits: Annotated[dict[ResourceName, Quantity], Field(max_length=16, description="What a run cannot exceed.")] = {}


class HelperResources(Model):
    """Requests and limits of each of our two containers in a run's pod; what is named here replaces the default."""

    requests: Annotated[
        dict[ResourceName, Quantity], Field(max_length=16, description="10m of cpu and 32Mi of memory by default.")
    ] = {}
    limits: Annotated[
        dict[ResourceName, Quantity], Field(max_length=16, description="512Mi of memory by default, and no cpu.")
    ] = {}
