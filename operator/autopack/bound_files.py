"""Keys of Secrets and ConfigMaps that a run's pod has as files: what the operator lays out in a volume of the pod, the
workspace container looks for before anything else happens.

The volume is optional to the kubelet. Otherwise a pod would wait for good where a key is missing, and only an event,
which the operator may not read, would say why.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from autopack.errors import AutopackError

FOLDER = "/autopack-files"
"""Where the workspace container has the volume."""

VARIABLE = "AUTOPACK_BOUND_FILES"
"""Holds the paths in the volume, apart by a colon."""


class Holder(StrEnum):
    """The kind of object that holds a key; the first part of the key's path in the volume."""

    SECRET = "secret"  # noqa: S105 - the name of a kind
    CONFIG_MAP = "configmap"


_SAID = {Holder.SECRET: ("Secret", "SecretMissing"), Holder.CONFIG_MAP: ("ConfigMap", "ConfigMapMissing")}
EXIT_CODES = {"SecretMissing": 21, "ConfigMapMissing": 22}
"""Exit code of the workspace container by the reason why it could not go on."""


def path_of(holder: Holder, name: str, key: str) -> str:
    """Return where the volume has the key."""
    return f"{holder}/{name}/{key}"


def check_all_there(folder: Path, paths: Iterable[str]) -> None:
    """Raise AutopackError for the first of `paths` that the volume does not have; its reason is one of EXIT_CODES."""
    for path in paths:
        if not (folder / path).is_file():
            holder, name, key = path.split("/")
            kind, reason = _SAID[Holder(holder)]
            message = f"{kind} {name!r} does not exist, or has no key {key!r}"
            raise AutopackError(reason, message, "Create it, or correct the RunProfile that names it")
