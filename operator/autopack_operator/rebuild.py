"""`autopack registry rebuild`: the registry of an installation made again, from its custom resources and its volume."""

from __future__ import annotations

import asyncio
import contextlib
import os

from autopack.errors import AutopackError
from autopack.registry.events import RunEvent
from autopack.registry.reader import RegistryReader
from autopack.registry.spill import Event
from autopack_operator.adapters.kube.connection import Connection, NoCredentialsError
from autopack_operator.adapters.kube.lister import KubeLister
from autopack_operator.adapters.registry.opening import open_registry
from autopack_operator.adapters.registry.writing import write
from autopack_operator.domain.registry_rows import batch_event, earlier_attempt_event, run_event
from autopack_operator.domain.views import RunView
from autopack_operator.ports.cluster import ApiError
from autopack_operator.settings import Settings, SettingsError
from autopack_volume.client.client import RefusedError, UnreachableError, VolumeClient
from autopack_volume.contract.messages import Attempt

AT_ONCE = 500


def rebuild() -> tuple[int, int]:
    """Return how many runs and batches have their rows again. Raises AutopackError."""
    try:
        settings = Settings.from_environment(os.environ)
        return asyncio.run(_rebuild(settings))
    except SettingsError as error:
        fix = "Run it where the operator runs: kubectl exec deploy/autopack-operator -- autopack registry rebuild"
        raise AutopackError("NoOperator", str(error), fix) from error
    except (RefusedError, UnreachableError) as error:
        raise AutopackError("ClusterUnavailable", f"the volume service did not answer: {error}", "Try again") from error
    except (NoCredentialsError, ApiError) as error:
        raise AutopackError("ClusterUnavailable", str(error), "Try again") from error


async def _rebuild(settings: Settings) -> tuple[int, int]:
    connection = await Connection.open()
    try:
        lister = KubeLister(connection, settings.namespace)
        runs, batches = await lister.runs(), await lister.batches()
    finally:
        await connection.close()
    installation = settings.registry.installation
    events: list[Event] = [run_event(run, installation) for run in runs]
    events += [batch_event(batch, installation) for batch in batches]
    with contextlib.closing(open_registry(settings.registry)) as registry:
        registry.upgrade()
        for start in range(0, len(events), AT_ONCE):
            write(registry, events[start : start + AT_ONCE])
        write(registry, await _earlier_attempts(settings, [run for run in runs if run.status.attempt > 1]))
    return len(runs), len(batches)


async def _earlier_attempts(settings: Settings, runs: list[RunView]) -> list[RunEvent]:
    """Only of attempts whose history is gone: what was seen live tells more."""
    found = []
    reader = RegistryReader(settings.registry.url, settings.registry.installation)
    with contextlib.closing(reader):
        async with VolumeClient(settings.volume_url, settings.volume_token_file) as volume:
            for run in runs:
                known = reader.run(run.uid, run.name)
                told = {step.attempt for step in known.steps} if known is not None else set()
                for attempt in await _attempts(volume, run.uid):
                    event = earlier_attempt_event(run, attempt, settings.registry.installation)
                    if event is not None and event.facts.attempt not in told:
                        found.append(event)
    return found


async def _attempts(volume: VolumeClient, uid: str) -> list[Attempt]:
    """The volume's records of a run; none where it knows nothing of it."""
    try:
        return (await volume.run(uid)).get("attempts", [])
    except RefusedError as error:
        if error.status == 404:
            return []
        raise
