"""What the installation decides for the pods of all runs."""

from __future__ import annotations

from dataclasses import dataclass, field

NOBODY_ELSE = 65532
"""The user and group that images for unprivileged programs have by custom (`nonroot`)."""


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What the installation decides for all runs."""

    claim: str
    image: str
    image_pull_policy: str
    service_account: str
    read_write_once: bool = False
    volume_labels: dict[str, str] = field(default_factory=dict)
    snapshot_seconds: int = 10
    run_as_user: int = NOBODY_ELSE
    run_as_group: int = NOBODY_ELSE
    gateway_url: str = ""
    """Where relays find the model gateway; empty where the installation has none."""
