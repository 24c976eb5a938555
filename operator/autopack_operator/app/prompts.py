"""Finds what a run is asked to do."""

from __future__ import annotations

from autopack_operator.domain.api.common import PROMPT_LABEL
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.run.prompts import Asked, of_configmap
from autopack_operator.domain.views import VolumeFailure
from autopack_operator.ports.cluster import ConfigMaps


class PromptReader:
    """Reads prompts that are in ConfigMaps; those in a repository are read by the volume service."""

    def __init__(self, configmaps: ConfigMaps) -> None:
        self._configmaps = configmaps

    async def asked(self, namespace: str, spec: AutopackRunSpec) -> Asked | VolumeFailure:
        """What the run is asked, or why that cannot be told now."""
        source = spec.prompt_from
        if source is None or source.config_map_key_ref is None:
            return Asked(spec.prompt, source.file if source is not None else None)
        ref = source.config_map_key_ref
        return of_configmap(ref, await self._configmaps.read(namespace, ref.name, ref.key, label=PROMPT_LABEL))
