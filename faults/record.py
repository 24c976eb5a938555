"""What the oracles judge: all that is known about a trial, and about the poison in its lane, when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autopack.phases import Phase
from faults.injector import Sent
from faults.stage import Evidence
from faults.witness import Seen

JsonDict = dict[str, Any]


@dataclass(frozen=True)
class Poison:
    """What became of it during one trial."""

    sent: list[Sent] = field(default_factory=list)
    """Requests about it, reading ones included."""
    seen: list[Seen] = field(default_factory=list)
    """States of the AutopackRun."""
    phase: str = Phase.PREPARING
    """At the end of the trial; empty when it is gone."""
    seconds: float = 0.0
    """How long the trial took."""


@dataclass
class Record:
    """All that is known about a trial when it is over."""

    name: str
    history: list[Seen]
    sent: list[Sent]
    evidence: Evidence
    final: JsonDict
    decoys: tuple[JsonDict, JsonDict] = field(default_factory=lambda: ({}, {}))
    """Objects that are not ours, before and after."""
    poison: Poison = field(default_factory=Poison)
    idle_from: float = 0.0
    late: float = 0.0
    """Seconds by which the plan keeps the operator from noticing an object."""
    restarts: int = 0
    error: str = ""
    """Why the workload did not come to its end."""
