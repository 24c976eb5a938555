"""The registry as the settings name it; nothing is connected yet."""

from __future__ import annotations

from autopack.registry.spill import Spill
from autopack.registry.store import Registry
from autopack_operator.adapters.registry.history import RegistryHistory
from autopack_operator.settings import RegistrySettings


def open_registry(settings: RegistrySettings) -> Registry:
    """A SQLite file keeps a rollback journal: the dashboard reads it through a mount that it cannot write."""
    return Registry(settings.url, wal=False)


def open_history(settings: RegistrySettings) -> RegistryHistory:
    """What waits for another database than this one is not sent here: each has its own file."""
    spill = Spill(settings.folder / f"waiting-{settings.url.key}.jsonl")
    return RegistryHistory(open_registry(settings), spill, settings.installation)
