"""All ports of one process, in one hand: what the application is built on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autopack_operator.cache import Cache
from autopack_operator.ports.clock import Clock
from autopack_operator.ports.cluster import (
    Batches,
    ConfigMaps,
    Events,
    Leases,
    Lister,
    Pods,
    Profiles,
    Runs,
)
from autopack_operator.ports.gateway import Gateway
from autopack_operator.ports.history import History
from autopack_operator.ports.publisher import Publisher
from autopack_operator.ports.telemetry import Telemetry
from autopack_operator.ports.volume import Volume


@dataclass(frozen=True)
class Ports:
    """One field a port. `crowded` says whether requests to the API server wait for their slots; `gateway` is None where
    the installation has none.
    """

    cache: Cache
    lister: Lister
    runs: Runs
    batches: Batches
    pods: Pods
    profiles: Profiles
    configmaps: ConfigMaps
    leases: Leases
    events: Events
    volume: Volume
    publisher: Publisher
    history: History
    telemetry: Telemetry
    clock: Clock
    crowded: Callable[[], bool]
    gateway: Gateway | None = None
