"""What the runs of a batch have in common, and what they are served with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autopack.agents.formats import Format
from autopack.registry.events import RunRecord
from autopack.registry.outbox import Outbox
from autopack.run_ids import path_component
from autopack.workspace_manager import Preparation

from .control import StopControl
from .database import DatabaseStrategy
from .guard import Guard
from .options import Keep
from .quotas import Cores, Quota


@dataclass(frozen=True)
class Recipe:
    """How each run is executed; `base_sha` is the commit at which all of them begin, `timeout` is in seconds.

    `home_files` are what a home of its own begins with; without them (None) a run has the user's.
    """

    batch_id: str
    runs_dir: Path
    source_repo: Path
    base_sha: str
    words: Sequence[str]
    extra_args: Sequence[str]
    timeout: float | None
    keep: Keep
    preparation: Preparation
    quota: Quota
    agent_output: Format | None = None
    home_files: Sequence[str] | None = None


@dataclass(frozen=True)
class Services:
    """What runs use together; `notify` says that a run has rows to send."""

    database: DatabaseStrategy
    outbox: Outbox
    notify: Callable[[str], None]
    control: StopControl
    guard: Guard
    cores: Cores

    def record(self, facts: RunRecord) -> None:
        """Write facts to disk and have them sent; raises OSError when even the disk does not take them."""
        self.outbox.append(facts)
        self.notify(path_component(facts.run_id))
