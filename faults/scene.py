"""What the played node and volume share with the judges, for one lane."""

from __future__ import annotations

from dataclasses import dataclass

from faults.ledger import Ledger
from faults.volume import PlayedVolume


@dataclass(frozen=True)
class Scene:
    """One lane's."""

    namespace: str
    ledger: Ledger
    volume: PlayedVolume
