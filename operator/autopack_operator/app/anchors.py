"""Finds an anchor where the annotation says, and has it judged."""

from __future__ import annotations

from autopack_operator.domain import anchor_gate
from autopack_operator.domain.views import AnchorVerdict
from autopack_operator.ports.cluster import ConfigMaps


async def anchor_verdict(configmaps: ConfigMaps, namespace: str, annotation: str | None) -> AnchorVerdict:
    """Judge the anchor that the annotation holds or names."""
    if annotation is None or not annotation.strip():
        return anchor_gate.absent()
    ref = anchor_gate.reference(annotation)
    if ref is None:
        return anchor_gate.judge(annotation)
    text = await configmaps.read(namespace, ref.name, ref.key)
    return anchor_gate.judge(text) if text is not None else anchor_gate.configmap_absent(ref)
