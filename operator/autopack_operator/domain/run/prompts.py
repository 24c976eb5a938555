"""What a run is asked to do, as far as the operator has to find it."""

from __future__ import annotations

from dataclasses import dataclass

from autopack_operator.domain.api.agents import MAX_PROMPT
from autopack_operator.domain.api.bindings import KeyRef
from autopack_operator.domain.api.common import PROMPT_LABEL
from autopack_operator.domain.views import VolumeFailure


@dataclass(frozen=True, slots=True)
class Asked:
    """The text of a prompt, or the path of a file in the attempt's commit that holds it; neither without a prompt."""

    text: str | None = None
    file: str | None = None


NOTHING_ASKED = Asked()


def of_configmap(ref: KeyRef, text: str | None) -> Asked | VolumeFailure:
    """What a ConfigMap asks; `text` is None where there is no such key, or where the map may not be handed to runs.

    One message for all of these: who may not read ConfigMaps learns nothing of them this way.
    """
    place = f"ConfigMap {ref.name!r}"
    if text is None:
        message = f'there is no {place} with the label {PROMPT_LABEL}: "true" and the key {ref.key!r}'
        return VolumeFailure("PromptNotFound", message, transient=True)
    if (size := len(text.encode())) > MAX_PROMPT:
        message = f"{ref.key!r} of {place} has {size} bytes; a prompt can have {MAX_PROMPT} (256 KiB)"
        return VolumeFailure("PromptTooLong", message, transient=False)
    return Asked(text=text)
